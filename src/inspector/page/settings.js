// How a fabric is set, what is stored of it, and what could not be stored. A credential is named, never shown.

import { html } from './html.js';
import { agoText, clockText, countText, spanText } from './words.js';

/** @import { FabricDocument, SettingsDocument } from '../documents.ts' */

/** @param {{ document: FabricDocument, nowMs: number }} props */
export function Settings({ document: { settings, counts, quarantine, quarantined, parts }, nowMs }) {
  return html`<div class="columns">
    <section class="panel" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      ${settings ? html`<dl class="terms">${termsOf(settings, nowMs).map(([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>` : html`<p class="faint">Postgres does not answer.</p>`}
    </section>
    <section class="panel" aria-labelledby="objects-title">
      <h2 id="objects-title">Objects</h2>
      <${Counts} counts=${counts} known=${parts.postgres.state !== 'missing'} />
      ${
        quarantined > 0 &&
        html`<h3>Not stored: ${countText(quarantined)}</h3>
        <ul class="quarantine">${quarantine.map(({ kind, namespace, name, reason, since }) => html`<li key=${`${kind} ${namespace} ${name}`}><code>${kind} ${namespace}/${name}</code> ${reason} <span class="faint">since ${clockText(since, nowMs)}</span></li>`)}</ul>`
      }
    </section>
  </div>`;
}

/** @param {{ counts: Readonly<Record<string, number>>, known: boolean }} props */
function Counts({ counts, known }) {
  const kinds = Object.entries(counts).sort(([, one], [, other]) => other - one);
  const most = Math.max(1, ...kinds.map(([, count]) => count));
  if (kinds.length === 0) return html`<p class="faint">${known ? 'None yet.' : 'Postgres does not answer.'}</p>`;
  return html`<ul class="counts">
    ${kinds.map(
      ([kind, count]) => html`<li key=${kind}>
        <span>${kind}</span><meter min="0" max=${most} value=${count} aria-hidden="true"></meter><span class="number">${countText(count)}</span>
      </li>`,
    )}
  </ul>`;
}

/** @param {SettingsDocument} settings @param {number} nowMs @returns {[string, string][]} */
function termsOf(settings, nowMs) {
  const { kind, ref, given } = settings.credential;
  const yes = (/** @type {boolean} */ it) => (it ? 'yes' : 'no');
  const kinds = [...settings.kinds_added.map((one) => `+${one}`), ...settings.kinds_removed.map((one) => `−${one}`)];
  return [
    ['Description', settings.description || '–'],
    ['Server', settings.kubernetes_server || '–'],
    ['Namespace', settings.kubernetes_namespace],
    ['TLS server name', settings.tls_server_name || 'that of the server'],
    ['Authorities', settings.ca === 'own' ? "the fabric's own" : "this host's"],
    ['Credential', kind === 'none' ? 'none' : kind === 'sealed' ? 'sealed in the database' : ref || kind],
    ['Credential given', kind === 'none' ? '–' : givenText(given, nowMs)],
    ['Sync enabled', yes(settings.sync_enabled)],
    ['Scheduler enabled', yes(settings.scheduler_enabled)],
    ['Interval', settings.sync_interval === 0 ? 'none' : spanText(settings.sync_interval * 1_000)],
    ['Kinds', kinds.length === 0 ? 'as usual' : kinds.join(', ')],
    [
      'Waits for approval',
      `before it deletes more than ${Math.round(settings.guard_share * 100)} % of the objects, and more than ${countText(settings.guard_count)}`,
    ],
    ['Cluster', settings.cluster_uid ?? 'not known yet'],
    ['Created', clockText(settings.created, nowMs)],
    ['Last changed', clockText(settings.last_updated, nowMs)],
  ];
}

/** How old a credential is: a person gave it then; another seal around it is no new one. @param {string | null} given @param {number} nowMs */
function givenText(given, nowMs) {
  if (given === null) return 'before this was written down';
  return `${clockText(given, nowMs)} (${agoText(nowMs - Date.parse(given))})`;
}

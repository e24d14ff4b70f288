// What every view stands in: the head with the way to the views, what is missing, the view, and what is open over it.

import { Component } from '/assets/vendor/preact.js';
import { fleetRoute, timersRoute } from './address.js';
import { Banners } from './banners.js';
import { ActDialog } from './control-dialog.js';
import { FabricView } from './fabric.js';
import { FleetView } from './fleet.js';
import { html } from './html.js';
import { Link } from './link.js';
import { LoginView } from './login.js';
import { KeyBoard, ShortcutsDialog } from './shortcuts.js';
import { TimersView } from './timers.js';
import { clockText, countText } from './words.js';

/** @import { App } from './app.js' */

/** @param {{ app: App }} props */
export function Shell({ app }) {
  const { route, dialog } = app;
  return html`<div class="shell">
    <a class="skip" href="#main">To the content</a>
    <${Head} app=${app} />
    <${Banners} app=${app} />
    <main id="main" tabindex="-1">
      <${Guarded} key=${route.view}><${View} app=${app} /><//>
    </main>
    <${Foot} app=${app} />
    ${dialog?.kind === 'shortcuts' && html`<${ShortcutsDialog} app=${app} />`}
    ${dialog?.kind === 'act' && html`<${ActDialog} key=${dialog.act} app=${app} act=${dialog.act} fabric=${dialog.fabric} />`}
    <${KeyBoard} app=${app} />
  </div>`;
}

/** @param {{ app: App }} props */
function View({ app }) {
  const { route } = app;
  switch (route.view) {
    case 'fleet':
      return html`<${FleetView} app=${app} route=${route} />`;
    case 'fabric':
      return html`<${FabricView} key=${route.name} app=${app} route=${route} />`;
    case 'timers':
      return html`<${TimersView} app=${app} route=${route} />`;
    case 'login':
      return html`<${LoginView} app=${app} />`;
    case 'lost':
      return html`<section class="message">
        <h1>There is no such view</h1>
        <p><code>${route.path}</code> is none of this inspector's addresses.</p>
        <p><${Link} app=${app} to=${fleetRoute}>To the fleet<//></p>
      </section>`;
  }
}

/** @param {{ app: App }} props */
function Head({ app }) {
  const { view } = app.route;
  return html`<header class="head">
    <${Link} app=${app} to=${fleetRoute} class="brand" label="fabric-syncd, to the fleet"
      ><img src="/assets/icon.svg" width="22" height="22" alt="" /><span>fabric-syncd</span><//>
    <nav aria-label="Views">
      <${Link} app=${app} to=${fleetRoute} current=${view === 'fleet' || view === 'fabric'}>Fleet<//>
      <${Link} app=${app} to=${timersRoute} current=${view === 'timers'}>Timers<//>
    </nav>
    <div class="head-side">
      <${Pulse} app=${app} />
      ${app.session?.who && html`<span class="who">${app.session.who}</span>`}
      ${app.mayAct && html`<button class="small" onClick=${() => app.logout()}>Log out</button>`}
      <button class="small" aria-label="Keyboard shortcuts" onClick=${() => app.show({ kind: 'shortcuts' })}>?</button>
    </div>
  </header>`;
}

/** Whether what is shown is live. @param {{ app: App }} props */
function Pulse({ app }) {
  const words = { connecting: 'connecting', live: 'live', lost: 'reconnecting', resting: 'resting' };
  const { state } = app.connection;
  return html`<span class=${`pulse pulse-${state}`}><span class="pulse-dot"></span>${words[state]}</span>`;
}

/** @param {{ app: App }} props */
function Foot({ app }) {
  const nowMs = app.clock.nowMs();
  const daemon = app.fleet?.daemon;
  const offsetS = Math.round(app.clock.offsetMs / 1_000);
  return html`<footer class="foot">
    ${
      daemon &&
      html`<span>${daemon.name} · ${daemon.version} · up since ${clockText(daemon.started_at, nowMs)} · ${countText(daemon.slots)} at once</span>`
    }
    <span>
      Daemon's time ${clockText(nowMs, nowMs)}${
        Math.abs(offsetS) >= 2 && `, this browser's clock is ${Math.abs(offsetS)} s ${offsetS > 0 ? 'behind' : 'ahead'}`
      }
    </span>
  </footer>`;
}

/** A view that fails says so, and the rest of the page stays. @extends {Component<{ children?: unknown }, { failed: string | null }>} */
class Guarded extends Component {
  /** @override @type {{ failed: string | null }} */
  state = { failed: null };

  /** @override @param {unknown} thrown */
  componentDidCatch(thrown) {
    this.setState({ failed: thrown instanceof Error ? thrown.message : String(thrown) });
  }

  /** @override */
  render() {
    const { failed } = this.state;
    if (failed === null) return html`${this.props.children}`;
    return html`<section class="message" role="alert">
      <h1>This view failed</h1>
      <p>It is a defect of the page, not of your fabrics: ${failed}</p>
      <button onClick=${() => this.setState({ failed: null })}>Draw it again</button>
    </section>`;
  }
}

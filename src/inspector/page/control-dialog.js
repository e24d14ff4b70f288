// An act that is asked about twice, with what it means; and what has to be said with it.

import { Component } from '/assets/vendor/preact.js';
import { Dialog } from './dialog.js';
import { html } from './html.js';
import { countText } from './words.js';

/** @import { App } from './app.js' */
/** @import { Act, FleetFabric } from '../documents.ts' */

/** @typedef {{ app: App, act: Act, fabric: FleetFabric }} ActProps */

/** @type {Readonly<Record<string, { title: string, button: string, danger: boolean, means: string }>>} */
const words = {
  cancel: {
    title: 'Cancel the run in hand?',
    button: 'Cancel the run',
    danger: true,
    means: 'What it has read is dropped; nothing is committed. The next sync comes when it is due.',
  },
  unlock: {
    title: 'Break the lock?',
    button: 'Break the lock',
    danger: true,
    means:
      'Whoever runs this fabric loses its lease and can commit nothing more. For a run that hangs, or a holder that is gone.',
  },
  pause: {
    title: 'Pause',
    button: 'Pause',
    danger: false,
    means: 'A run in hand is finished; none begins until it is resumed.',
  },
  approve: { title: 'Approve?', button: 'Approve', danger: true, means: 'The next sync does what was held back.' },
};

/** @extends {Component<ActProps, { reason: string, until: string, busy: boolean }>} */
export class ActDialog extends Component {
  /** @override @type {{ reason: string, until: string, busy: boolean }} */
  state = { reason: '', until: '', busy: false };

  /** @override */
  render() {
    const { app, act, fabric } = this.props;
    const { title, button, danger, means } = words[act] ?? { title: act, button: act, danger: false, means: '' };
    return html`<${Dialog} title=${`${fabric.name}: ${title}`} close=${() => app.show(null)}>
      <form method="dialog" onSubmit=${this.#submit}>
        <p>${means}</p>
        ${act === 'approve' && html`<${Held} fabric=${fabric} />`}
        ${act === 'pause' && this.#pauseFields()}
        <div class="dialog-buttons">
          <button type="button" onClick=${() => app.show(null)}>Leave it</button>
          <button type="submit" class=${danger ? 'danger' : 'primary'} disabled=${this.state.busy}>${button}</button>
        </div>
      </form>
    <//>`;
  }

  #pauseFields() {
    const { reason, until } = this.state;
    return html`<label class="field">
        <span>Reason</span>
        <input name="reason" required maxlength="500" value=${reason} onInput=${this.#typed('reason')} autocomplete="off" />
      </label>
      <label class="field">
        <span>Until <span class="faint">(empty: until it is resumed)</span></span>
        <input name="until" type="datetime-local" value=${until} onInput=${this.#typed('until')} />
      </label>`;
  }

  /** @param {'reason' | 'until'} field */
  #typed(field) {
    return (/** @type {InputEvent} */ event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      this.setState(field === 'reason' ? { reason: value } : { until: value });
    };
  }

  #submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const { app, act, fabric } = this.props;
    this.setState({ busy: true });
    app.act(fabric.name, act, this.#body());
  };

  #body() {
    const { act, fabric } = this.props;
    const { reason, until } = this.state;
    if (act === 'pause') return { reason, until: until === '' ? null : new Date(until).toISOString() };
    if (act === 'approve') return { run: fabric.approval?.run ?? '' };
    return {};
  }
}

/** What is held back, so that nobody approves what they have not seen. @param {{ fabric: FleetFabric }} props */
function Held({ fabric: { approval } }) {
  if (!approval) return html`<p>Nothing is held back any more.</p>`;
  if (approval.kind === 'cluster') {
    return html`<p>Another cluster answers at this address: <code>${approval.found}</code> instead of <code>${approval.pinned}</code>. All that is stored of the other one is replaced.</p>`;
  }
  return html`<p>Run ${approval.run} would delete ${countText(approval.total)} of ${countText(approval.of)} objects:</p>
    <ul>${Object.entries(approval.deletions).map(([kind, count]) => html`<li key=${kind}>${countText(count)} ${kind}</li>`)}</ul>`;
}

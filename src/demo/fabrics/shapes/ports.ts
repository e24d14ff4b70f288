// Hands out the ports of switches, in order, each once.

import type { Breakout } from './shape.ts';

interface Panel {
  /** The last port that was begun. */
  last: number;
  /** Begun and not used up: mode -> port and lanes in use. */
  readonly open: Map<string, { port: number; lanesUsed: number }>;
  readonly breakouts: Record<string, string>;
}

export class Ports {
  readonly #panels = new Map<string, Panel>();

  /** The next free port of a device, as `leaf-01/E1/5`, or a lane of one that is broken out, as `leaf-01/E1/5/2`. */
  take(device: string, breakout: Breakout | null): string {
    const panel = this.#panel(device);
    if (!breakout) {
      panel.last += 1;
      return `${device}/E1/${panel.last}`;
    }
    let open = panel.open.get(breakout.mode);
    if (!open || open.lanesUsed === breakout.lanes) {
      panel.last += 1;
      open = { port: panel.last, lanesUsed: 0 };
      panel.open.set(breakout.mode, open);
      panel.breakouts[`E1/${panel.last}`] = breakout.mode;
    }
    open.lanesUsed += 1;
    return `${device}/E1/${open.port}/${open.lanesUsed}`;
  }

  /** Port -> mode, for the ports of this device that are broken out. */
  breakouts(device: string): Readonly<Record<string, string>> {
    return this.#panel(device).breakouts;
  }

  #panel(device: string): Panel {
    const known = this.#panels.get(device);
    if (known) return known;
    const panel: Panel = { last: 0, open: new Map(), breakouts: {} };
    this.#panels.set(device, panel);
    return panel;
  }
}

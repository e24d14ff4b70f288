// The watchdog, fed by progress.
//
//   W1. A sign of life is sent only while `healthy` says that the work gets on; a daemon whose process is alive and
//       whose work stands still is restarted by systemd.
//   W2. It is fed at half of WATCHDOG_USEC, so that one late turn does no harm.

import type { Clock } from '../clock.ts';
import type { Service } from '../service.ts';
import type { SystemdNotifier } from './notify.ts';

/** Does the work get on? `why` is one line for a person, where it does not. */
export type Health = { readonly ok: true } | { readonly ok: false; readonly why: string };

export interface WatchdogOptions {
  /** Read: WATCHDOG_USEC, WATCHDOG_PID. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly notifier: Pick<SystemdNotifier, 'alive' | 'status'>;
  readonly clock: Clock;
  readonly healthy: () => Health;
  /** Called when the feeding stops, and again when it resumes (`ok`). */
  readonly onChange: (health: Health) => void;
}

export class Watchdog implements Service {
  readonly name = 'watchdog';
  readonly #options: WatchdogOptions;
  #fed = true;
  #cancel: (() => void) | null = null;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Between two signs of life, in milliseconds; null where systemd asked for none, or asked another process. */
  get everyMs(): number | null {
    const { env, pid } = this.#options;
    const usec = Number(env.WATCHDOG_USEC);
    const meant = !env.WATCHDOG_PID || Number(env.WATCHDOG_PID) === pid;
    return meant && Number.isFinite(usec) && usec > 0 ? usec / 2_000 : null;
  }

  async start(): Promise<void> {
    const everyMs = this.everyMs;
    if (everyMs === null || this.#cancel) return;
    const turn = () => {
      this.#cancel = this.#options.clock.after(everyMs, turn);
      this.#feed();
    };
    turn();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
  }

  #feed(): void {
    const { notifier, healthy, onChange } = this.#options;
    const health = healthy();
    if (health.ok) notifier.alive();
    else notifier.status(`stuck, not feeding the watchdog: ${health.why}`);
    if (health.ok !== this.#fed) onChange(health);
    this.#fed = health.ok;
  }
}

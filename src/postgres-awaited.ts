// Postgres at the start: waited for, for as long as it takes, and brought to this program's schema. Whoever looks at the
// daemon meanwhile is told that it is missing, and since when.

import { FabricFailure } from '../machines/fabric/failure.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Service } from './service.ts';
import type { SystemdNotifier } from './systemd/notify.ts';

export interface PostgresAwaitedDeps {
  /** @returns what was applied */
  readonly migrate: () => Promise<readonly string[]>;
  readonly log: Log;
  readonly clock: Clock;
  readonly notifier: SystemdNotifier;
  /** Gives up waiting. */
  readonly signal: AbortSignal;
}

/** The first wait, and the longest. */
const waitMs = { first: 500, most: 5_000 };

export class PostgresAwaited implements Service {
  readonly name = 'postgres';
  readonly #deps: PostgresAwaitedDeps;
  #trouble: { readonly problem: string; readonly sinceMs: number } | null;

  constructor(deps: PostgresAwaitedDeps) {
    this.#deps = deps;
    this.#trouble = { problem: 'Postgres has not answered yet', sinceMs: deps.clock.nowMs() };
  }

  /** Why it is still waited for, and since when; null where it is not, or not any more. */
  get trouble(): { readonly problem: string; readonly sinceMs: number } | null {
    return this.#trouble;
  }

  /** Resolves when it has answered, and the schema is this program's. @throws SchemaRefused, or the signal's reason */
  async start(): Promise<void> {
    const { migrate, log, clock, notifier, signal } = this.#deps;
    for (let pauseMs = waitMs.first, said = false; ; pauseMs = Math.min(pauseMs * 2, waitMs.most)) {
      try {
        for (const name of await migrate()) log.info({ migration: name }, `schema: ${name} applied`);
        if (said) log.info({}, 'Postgres answers');
        this.#trouble = null;
        return;
      } catch (cause) {
        const { code, message, hint } = FabricFailure.from(cause);
        if (code !== 'DATABASE_UNAVAILABLE') throw cause;
        signal.throwIfAborted();
        if (!said) log.error({ code, hint }, `waiting for Postgres: ${message} ${hint}`);
        said = true;
        this.#trouble = { problem: `${code}: ${message}`, sinceMs: this.#trouble?.sinceMs ?? clock.nowMs() };
        notifier.status(`waiting for Postgres: ${message}`);
        notifier.extend(2 * waitMs.most + 60_000);
        await clock.sleep(pauseMs, signal);
      }
    }
  }

  /** It went away again before anything came of it: waits a little, and as at the start. */
  async again(): Promise<void> {
    await this.#deps.clock.sleep(waitMs.first, this.#deps.signal);
    await this.start();
  }

  async stop(): Promise<void> {}
}

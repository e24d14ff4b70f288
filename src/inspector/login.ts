// Who has logged in: one-time tokens that become sessions.
//
//   K1. A token opens once, for a short time, and what is kept of it (and of a session) is its hash alone.
//   K2. Few of each are kept; the oldest give way. So nobody fills the memory by asking, and an old session ends.
//   K3. Comparing takes the same time wherever two differ, whichever of those that are kept is meant.
//
//   A browser sends cookies to every port of a host. The cookie alone can therefore not tell a page of ours from one that
//   another program on this host serves; `Origin` does (gate.ts), on every change.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';

export interface Session {
  readonly who: string;
  /** Epoch milliseconds. */
  readonly untilMs: number;
}

interface Kept {
  readonly hash: Buffer;
  readonly who: string;
  readonly untilMs: number;
  /** Monotonic: the wall clock may be set back. */
  readonly endsMs: number;
}

export const tokenMs = 5 * 60_000;
export const sessionMs = 8 * 3_600_000;
const tokensMax = 16;
const sessionsMax = 32;

export class LoginDesk {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  readonly #tokens: Kept[] = [];
  readonly #sessions: Kept[] = [];

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** @param who for the record @returns a token that opens once, and until when */
  issue(who: string): { readonly token: string; readonly untilMs: number } {
    return this.#keep(this.#tokens, tokensMax, tokenMs, who);
  }

  /** @returns the secret of a new session; null where the token opens nothing (any more) */
  open(token: string): { readonly secret: string; readonly session: Session } | null {
    const found = this.#take(this.#tokens, token);
    if (!found) return null;
    const { token: secret, untilMs } = this.#keep(this.#sessions, sessionsMax, sessionMs, found.who);
    return { secret, session: { who: found.who, untilMs } };
  }

  session(secret: string | null): Session | null {
    const found = secret === null ? null : this.#find(this.#sessions, secret);
    return found && { who: found.who, untilMs: found.untilMs };
  }

  close(secret: string): void {
    this.#take(this.#sessions, secret);
  }

  #keep(list: Kept[], most: number, ms: number, who: string): { token: string; untilMs: number } {
    const token = randomBytes(32).toString('base64url');
    const untilMs = this.#clock.nowMs() + ms;
    list.push({ hash: hashOf(token), who, untilMs, endsMs: this.#clock.monotonicMs() + ms });
    if (list.length > most) list.shift();
    return { token, untilMs };
  }

  #take(list: Kept[], secret: string): Kept | null {
    const found = this.#find(list, secret);
    if (found) list.splice(list.indexOf(found), 1);
    return found;
  }

  #find(list: readonly Kept[], secret: string): Kept | null {
    const hash = hashOf(secret);
    const nowMs = this.#clock.monotonicMs();
    let found: Kept | null = null;
    for (const kept of list) if (timingSafeEqual(kept.hash, hash) && nowMs < kept.endsMs) found = kept;
    return found;
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** The value of one cookie; null where it is not there, or there twice: then somebody else put one of them. */
export function cookieOf(header: string | undefined, name: string): string | null {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? (values[0] ?? null) : null;
}

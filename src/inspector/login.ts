// Who has logged in: one-time tokens that become sessions.
//
//   K1. A token opens once, for a short time, and what is kept of it (and of a session) is its hash alone.
//   K2. Few of each are kept; the oldest give way. So nobody fills the memory by asking, and an old session ends.
//   K3. Comparing takes the same time wherever two differ, whichever of those that are kept is meant.
//
//   K4. A session is shown by two halves. A browser sends cookies to every port of a host, so also to a program that another
//       user of it serves on one; and what is no browser says any `Origin`. So the cookie alone is worth nothing: the other
//       half, the key, is kept by the page, where pages of its own origin alone can read it.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';

export interface Session {
  readonly who: string;
  /** Epoch milliseconds. */
  readonly untilMs: number;
}

/** What shows that one is logged in (K4); empty where it was not said. */
export interface Halves {
  readonly cookie: string;
  readonly key: string;
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

  /** @returns the halves of a new session; null where the token opens nothing (any more) */
  open(token: string): { readonly halves: Halves; readonly session: Session } | null {
    const found = this.#take(this.#tokens, token);
    if (!found) return null;
    const halves: Halves = { cookie: freshSecret(), key: freshSecret() };
    const { untilMs } = this.#keep(this.#sessions, sessionsMax, sessionMs, found.who, whole(halves));
    return { halves, session: { who: found.who, untilMs } };
  }

  session(halves: Halves): Session | null {
    const found = this.#find(this.#sessions, whole(halves));
    return found && { who: found.who, untilMs: found.untilMs };
  }

  close(halves: Halves): void {
    this.#take(this.#sessions, whole(halves));
  }

  #keep(
    list: Kept[],
    most: number,
    ms: number,
    who: string,
    token = freshSecret(),
  ): { readonly token: string; readonly untilMs: number } {
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

function freshSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** In a form in which no other two are the same text. */
function whole({ cookie, key }: Halves): string {
  return JSON.stringify([cookie, key]);
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

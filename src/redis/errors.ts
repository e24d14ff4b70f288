// What the client throws, in our words. The one place that reads its errors.
//
//   E1. The client's own error goes no further: it carries the command with its arguments, and one of those is the password.
//   E2. A reply's kind is the word that it begins with, which is the protocol's; the rest of its text decides nothing.
//       But for Redis 6.2: what a command in a script was refused with stands behind a preface of its own there.

import { ReplyError } from 'ioredis';
import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';
import type { RedisAddress } from './address.ts';

/** `READONLY`, `OOM`, `NOAUTH` …; null where it is not an answer of the server. */
export function replyKind(error: unknown): string | null {
  if (!(error instanceof ReplyError)) return null;
  const { message } = error as Error;
  return /^[A-Z]+\b/.exec(message.replace(scriptPreface, ''))?.[0] ?? 'ERR';
}

/** `ERR Error running script (call to f_<sha>): @user_script:7: @user_script: 7: -OOM command not allowed …` */
const scriptPreface = /^ERR Error running script \(call to \w+\): (?:@user_script: ?\d+: )+-?(?=[A-Z]+ )/;

const hintByReply: Readonly<Record<string, string>> = {
  NOAUTH: 'Redis wants a password: put it into REDIS_URL.',
  WRONGPASS: 'Redis refused the user or the password in REDIS_URL.',
  NOPERM: 'The Redis user in REDIS_URL may not do this: see the rights that the README lists.',
  READONLY: 'This Redis is a replica: point REDIS_URL at the primary.',
  OOM: 'Redis is full: raise its maxmemory, and keep maxmemory-policy at noeviction.',
  MISCONF: 'Redis cannot write its disk and refuses writes: see its log.',
  LOADING: 'Redis is reading its data; it is used again when it is done.',
  WRONGTYPE: 'Something else wrote to our keys: set FABRIC_SYNCD_REDIS_PREFIX to a name of its own.',
  MOVED: 'This node of a Redis Cluster does not hold our keys: point REDIS_URL at the one that does.',
};

/** `REDIS_UNAVAILABLE`, whatever it was: a Redis that refuses is as good as one that is not there. */
export function redisFailure(thrown: unknown, address: RedisAddress): FabricFailure {
  if (thrown instanceof FabricFailure) return thrown;
  const kind = replyKind(thrown);
  const { message = String(thrown), code } = (thrown ?? {}) as { message?: string; code?: unknown };
  const said = oneLine(withoutSecrets(message || String(code ?? 'no answer'), address), 200);
  const what = kind === null ? `Redis at ${address.shown} does not answer` : `Redis at ${address.shown} refuses`;
  const hint = kind === null ? undefined : hintByReply[kind];
  const cause = new Error(said);
  if (typeof code === 'string') Object.assign(cause, { code });
  return new FabricFailure('REDIS_UNAVAILABLE', `${what}: ${said}`, {
    cause,
    ...(hint !== undefined && { hint }),
    facts: { address: address.shown, ...(kind !== null && { reply: kind }) },
  });
}

function withoutSecrets(text: string, { password }: RedisAddress): string {
  // What followed a command is said back in part: a long password would not be known by its beginning.
  const unquoted = text.replace(/(with args beginning with:).*/s, '$1 …');
  return password ? unquoted.replaceAll(password, '***') : unquoted;
}

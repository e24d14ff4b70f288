// The least that a user of Redis must be allowed, for the Redis of the timers and for the lock's other nodes.
//
//   AC1. The tests run the daemon under exactly these, and take each of them away to see that it is missed.

import { redisKeys } from './keys.ts';

/** On each connection: who we are, whether it can be written; and what a doctor asks. */
const always = ['info', 'time', 'select', 'client|setname', 'set', 'eval', 'evalsha'];
/** What the lock's scripts do. */
const lock = ['get', 'del'];
const timers = [
  ...['zadd', 'zrem', 'zrange', 'zscan', 'zmscore', 'hset', 'hget', 'hmget', 'hdel'],
  ...['publish', 'subscribe', 'ping'],
];

export type RedisPart = 'timers' | 'lock';

/** A line for redis-cli. @param user no blanks; @param prefix as it is set, which has no pattern's signs in it */
export function aclLine(user: string, prefix: string, part: RedisPart): string {
  const keys = redisKeys(prefix);
  const ours = part === 'timers' ? [keys.timers, keys.payloads] : [];
  return [
    `ACL SETUSER ${user} reset on >PASSWORD`,
    ...[...ours, keys.probe, keys.lock('*')].map((key) => `~${key}`),
    ...(part === 'timers' ? [`&${keys.wake}`] : []),
    ...[...always, ...lock, ...(part === 'timers' ? timers : [])].map((command) => `+${command}`),
  ].join(' ');
}

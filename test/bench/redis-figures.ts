// What Redis knows of itself.

import type { Redis } from 'ioredis';

/** Our own questions are not counted. */
const ownQuestions = new Set(['info', 'config|set', 'config', 'ping', 'flushall', 'zcard', 'dbsize']);

/** Every command that was carried out since the start, those inside Lua included. */
export async function callsBy(redis: Redis): Promise<number> {
  const info = await redis.info('commandstats');
  return [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)]
    .filter(([, name]) => name !== undefined && !ownQuestions.has(name))
    .reduce((sum, [, , calls]) => sum + Number(calls), 0);
}

export async function redisVersion(redis: Redis): Promise<string> {
  const info = await redis.info('server');
  return /^(?:redis|valkey)_version:(\S+)/m.exec(info)?.[1] ?? 'unknown';
}

// What a person should know of a Redis: for `doctor`.

import type { Clock } from '../clock.ts';
import type { RedisConnection } from './connection.ts';

export interface RedisHealth {
  readonly product: 'redis' | 'valkey';
  readonly version: string;
  /** `master`, where it takes writes. */
  readonly role: string;
  /** Must be `noeviction`: any other may throw timers away. Null where the server does not tell. */
  readonly evictionPolicy: string | null;
  /** Bytes it may use; 0 is no limit. */
  readonly memoryMax: number;
  readonly appendOnly: boolean;
  /** True also where it may not be asked, as on managed servers: they say themselves how they persist. */
  readonly snapshots: boolean;
  /** The last write to its append-only file failed. */
  readonly diskTrouble: boolean;
  /** What the user that we are may do beyond our own; null where it may not be asked, as it should be. */
  readonly user: { readonly name: string; readonly mayEverything: boolean } | null;
  /** Redis's clock less ours, milliseconds; up to half a round trip of it may be wrong. */
  readonly clockSkewMs: number;
}

/** @throws FabricFailure `REDIS_UNAVAILABLE` */
export async function redisHealth(connection: RedisConnection, clock: Clock): Promise<RedisHealth> {
  const askedMs = clock.nowMs();
  const [seconds = 0, micros = 0] = (await connection.call((client) => client.time())).map(Number);
  const midwayMs = (askedMs + clock.nowMs()) / 2;
  const facts = readInfo(await connection.call((client) => client.info()));
  return {
    product: facts.valkey_version === undefined ? 'redis' : 'valkey',
    version: facts.valkey_version ?? facts.redis_version ?? '0',
    role: facts.role ?? 'unknown',
    evictionPolicy: facts.maxmemory_policy ?? null,
    memoryMax: Number(facts.maxmemory ?? 0),
    appendOnly: facts.aof_enabled === '1',
    snapshots: await savesSnapshots(connection),
    user: await userOf(connection),
    diskTrouble: facts.aof_last_write_status === 'err',
    clockSkewMs: Math.round(seconds * 1_000 + micros / 1_000 - midwayMs),
  };
}

async function savesSnapshots({ client }: RedisConnection): Promise<boolean> {
  try {
    const [, points = ''] = (await client.config('GET', 'save')) as string[];
    return points !== '';
  } catch {
    return true;
  }
}

/** Who may ask how users are made may make them, and so may do everything. */
async function userOf({ client }: RedisConnection): Promise<RedisHealth['user']> {
  try {
    const name = String(await client.acl('WHOAMI'));
    const mayEverything = await client.acl('GETUSER', name).then(
      () => true,
      () => false,
    );
    return { name, mayEverything };
  } catch {
    return null;
  }
}

/** `INFO`: lines of `name:value`, and headings. */
function readInfo(text: string): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    text
      .split(/\r?\n/)
      .map((line) => [line, line.indexOf(':')] as const)
      .filter(([, colon]) => colon > 0)
      .map(([line, colon]) => [line.slice(0, colon), line.slice(colon + 1)]),
  );
}

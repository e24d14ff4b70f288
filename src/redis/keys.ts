// The names of everything that is ours in Redis. One hash tag holds them in one slot, so that Redis Cluster works.

export interface RedisKeys {
  /** Sorted set: fabric id, scored by when its timer shows (epoch ms). */
  readonly timers: string;
  /** Hash: fabric id -> JSON (`payload.ts`). */
  readonly payloads: string;
  /** Channel: the earliest timer is earlier now. Channels are shared by all numbered databases: a wake too many is harmless. */
  readonly wake: string;
  /** Written now and then, to know whether Redis can be written. */
  readonly probe: string;
  lock(fabricId: string): string;
}

/** @param prefix several installations may share a Redis, each under its own */
export function redisKeys(prefix: string): RedisKeys {
  const tag = `{${prefix}}`;
  return {
    timers: `${tag}:timers`,
    payloads: `${tag}:timer`,
    wake: `${tag}:wake`,
    probe: `${tag}:probe`,
    lock: (fabricId) => `${tag}:lock:${fabricId}`,
  };
}

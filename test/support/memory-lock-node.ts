// One Redis of the lock, in memory: it keeps keys with an end, and runs the scripts that the real lock sends to a real one.
//
//   M1. A script is known here by the name that it is sent under (`script-names.ts`); what each does is written out below,
//       and held against a real Redis by `test/ports/lock-node.servers.test.ts`.
//   M2. It runs by its hash only where its text was sent to this node before: a server that was restarted has none.
//   M3. Keys end by this node's own clock, which may run apart from all others, and jump.

import { createHash } from 'node:crypto';
import type { FabricFailure } from '../../machines/fabric/failure.ts';
import { readRedisUrl } from '../../src/redis/address.ts';
import { clientTimeouts, type RedisClient } from '../../src/redis/client.ts';
import type { LockNode } from '../../src/redis/lock.ts';
import { scriptName } from '../../src/redis/script-names.ts';

export interface HeldKey {
  readonly value: string;
  /** By the node's own clock. */
  readonly endsMs: number;
  /** Whose question set it. */
  readonly by: string;
}

export class MemoryLockNode {
  readonly #nowMs: () => number;
  readonly #scripts = new Set<string>();
  #held = new Map<string, HeldKey>();
  /** It has no memory left: what takes some is refused. */
  full = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  evalsha(hash: string, [key = '', ...args]: readonly string[], by: string): number {
    if (!this.#scripts.has(hash)) throw new Error('NOSCRIPT No matching script. Please use EVAL.');
    return this.#run(scriptName(hash), key, args, by);
  }

  eval(text: string, [key = '', ...args]: readonly string[], by: string): number {
    this.#scripts.add(createHash('sha1').update(text).digest('hex'));
    return this.#run(scriptName(text), key, args, by);
  }

  /** @returns whether it was there */
  remove(key: string): boolean {
    const was = this.held(key) !== null;
    this.#held.delete(key);
    return was;
  }

  held(key: string): HeldKey | null {
    const held = this.#held.get(key);
    return held && this.#nowMs() < held.endsMs ? held : null;
  }

  /** Every key is gone, or as it was when the copy was made. */
  forget(backup: ReadonlyMap<string, HeldKey> = new Map()): void {
    this.#held = new Map(backup);
  }

  /** As by a restart: it knows no script any more. */
  forgetScripts(): void {
    this.#scripts.clear();
  }

  copy(): ReadonlyMap<string, HeldKey> {
    return new Map(this.#held);
  }

  #run(script: string | null, key: string, [value = '', ttl = '']: readonly string[], by: string): number {
    const held = this.held(key);
    switch (script) {
      case 'acquire-lock':
        if (held) return 0;
        this.#set(key, value, Number(ttl), by);
        return 1;
      case 'extend-lock':
        if (held?.value !== value) return 0;
        this.#set(key, value, Number(ttl), by);
        return 1;
      case 'release-lock':
        if (held?.value !== value) return 0;
        this.#held.delete(key);
        return 1;
      default:
        throw new Error(`ERR this node knows no script called ${script}`);
    }
  }

  #set(key: string, value: string, ttlMs: number, by: string): void {
    if (this.full) throw new Error("OOM command not allowed when used memory > 'maxmemory'.");
    this.#held.set(key, { value, endsMs: this.#nowMs() + ttlMs, by });
  }
}

/** How a question gets to a node and its answer back. Rejects with an `Error` where it does not. */
export type AskNode = (act: () => number, what: string) => Promise<number>;

/** The commands of a client that the lock uses. */
export function clientOf(node: MemoryLockNode, by: string, ask: AskNode): RedisClient {
  const called = (script: string) => scriptName(script)?.replace(/-lock$/, '') ?? 'script';
  return {
    evalsha: (hash: string, _keys: number, all: (string | number)[]) =>
      ask(() => node.evalsha(hash, all.map(String), by), called(hash)),
    eval: (text: string, _keys: number, all: (string | number)[]) =>
      ask(() => node.eval(text, all.map(String), by), called(text)),
    del: (key: string) => ask(() => Number(node.remove(key)), 'del'),
  } as unknown as RedisClient;
}

/** A node that always answers, at once. */
export function steadyLockNode(node: MemoryLockNode, by: string): LockNode {
  const client = clientOf(node, by, async (act) => act());
  return {
    address: readRedisUrl('redis://memory'),
    timeouts: clientTimeouts,
    client,
    up: true,
    trouble: null,
    suspect: (thrown) => thrown as FabricFailure,
    call: (ask) => ask(client),
  };
}

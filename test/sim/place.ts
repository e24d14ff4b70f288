// The place of one simulation: the world, the hosts with their daemons, the servers and the fabrics.

import type { Config } from '../../src/config.ts';
import type { SealingKey } from '../../src/kube/sealing.ts';
import type { Checker } from './checker.ts';
import type { SimDaemon } from './daemon.ts';
import type { SimFabric } from './fabric.ts';
import type { Host } from './host.ts';
import type { SimPostgres } from './postgres.ts';
import type { SimRedis } from './redis.ts';
import type { Scenario } from './scenario.ts';
import type { World } from './world.ts';

/** What was injected, by kind. */
export class Faults {
  readonly counts = new Map<string, number>();
  readonly #onFault: (kind: string, ms: number) => void;

  constructor(onFault: (kind: string, ms: number) => void) {
    this.#onFault = onFault;
  }

  /** @param ms how long it lasts */
  count(kind: string, ms = 0): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.#onFault(kind, ms);
  }
}

export interface Place {
  readonly scenario: Scenario;
  readonly world: World;
  readonly config: Config;
  readonly hosts: readonly Host[];
  readonly daemons: readonly SimDaemon[];
  readonly postgres: SimPostgres;
  readonly redis: SimRedis;
  readonly fabrics: ReadonlyMap<string, SimFabric>;
  /** Seals what the fabrics are reached with. */
  readonly key: SealingKey;
  readonly faults: Faults;
  readonly checker: Checker;
  /** A number is never used twice. */
  readonly removed: Set<string>;
  /** Kinds that no simulated fabric serves. */
  readonly kindsRemoved: readonly string[];
}

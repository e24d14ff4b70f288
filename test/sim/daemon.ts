// A daemon as its process runs it: the real parts over the ports of the simulated servers. systemd starts it again, also
// where its start failed.

import { type Core, composeCore } from '../../src/compose.ts';
import type { Config } from '../../src/config.ts';
import { SwitchingTimers } from '../../src/fleet/switching-timers.ts';
import type { Log } from '../../src/log.ts';
import type { FabricApi } from '../../src/ports/fabric-api.ts';
import type { FabricLock } from '../../src/ports/lock.ts';
import type { Store } from '../../src/ports/store.ts';
import type { TimerStore } from '../../src/ports/timers.ts';
import type { SimFabric } from './fabric.ts';
import { type Host, SimProcess } from './host.ts';
import type { SimPostgres } from './postgres.ts';
import type { SimRedis } from './redis.ts';

/** What a daemon is given; a mutant changes some of it. */
export interface Ports {
  readonly config: Config;
  readonly store: Store;
  readonly timers: TimerStore;
  readonly lock: FabricLock;
  readonly api: (fabricId: string, api: FabricApi) => FabricApi;
}

export type Mutate = (ports: Ports, place: DaemonPlace, process: SimProcess) => Ports;

export interface DaemonPlace {
  readonly config: Config;
  readonly postgres: SimPostgres;
  readonly redis: SimRedis;
  readonly fabrics: ReadonlyMap<string, SimFabric>;
  readonly mutate: Mutate | null;
}

/** systemd's `RestartSec`, and what a start takes. */
const restartMs = 1_000;
const graceMs = 20_000;
const abortMs = 5_000;

export class SimDaemon {
  readonly host: Host;
  readonly #place: DaemonPlace;
  #boots = 0;
  /** Bumped when whoever waits to start it must not. */
  #turn = 0;
  core: Core | null = null;
  /** Every fabric is planned and timers are served. */
  ready = false;

  constructor(host: Host, place: DaemonPlace) {
    this.host = host;
    this.#place = place;
    host.onDeath = (process) => {
      this.ready = false;
      this.core = null;
      place.postgres.forget(process);
      this.startIn(host.chance.spread(restartMs, 60_000));
    };
  }

  startIn(ms: number): void {
    const turn = ++this.#turn;
    this.host.world.in(ms, () => {
      if (turn === this.#turn && !this.host.process?.alive) this.#boot();
    });
  }

  kill(downMs: number): void {
    this.host.process?.die('is killed');
    this.startIn(downMs);
  }

  /** As by SIGTERM. */
  stop(downMs: number): void {
    const { process } = this.host;
    const { core } = this;
    if (!process?.alive || !core || !this.ready) {
      this.kill(downMs);
      return;
    }
    this.host.world.tell(`${process.name}: is asked to stop`);
    const stopping = async () => {
      await core.pump.stop();
      await core.fleet.stop(graceMs, abortMs, new AbortController().signal);
      await core.attempts.dropAll();
      await core.sweep.stop();
      await core.post.stop();
    };
    const ended = () => {
      process.die('has stopped');
      this.startIn(downMs);
    };
    process.deliver(() => void stopping().then(ended, ended));
    // systemd's `TimeoutStopSec`.
    this.host.world.in(90_000, () => {
      if (process.alive) this.kill(downMs);
    });
  }

  #boot(): void {
    const { host } = this;
    const process = new SimProcess(host, `${host.name}/${++this.#boots}`);
    host.process = process;
    host.world.tell(`${process.name}: starts`);
    this.#start(process).then(
      () => {
        if (!process.alive) return;
        this.ready = true;
        host.world.tell(`${process.name}: is ready`);
      },
      (cause: unknown) => {
        process.die(`could not start: ${cause instanceof Error ? cause.message : String(cause)}`);
        this.startIn(restartMs);
      },
    );
  }

  async #start(process: SimProcess): Promise<void> {
    const { postgres, redis, fabrics, mutate, config } = this.#place;
    const { world } = this.host;
    const connection = redis.connect(process, config.leaseTtlMs);
    await connection.settled();
    const switching = new SwitchingTimers(connection.timers, connection.presence);
    const plain: Ports = {
      config,
      store: postgres.connect(process),
      timers: switching,
      lock: connection.lock,
      api: (_, api) => api,
    };
    const ports = mutate ? mutate(plain, this.#place, process) : plain;
    const say = (level: string) => (_: object, line: string) => {
      if (process.alive) world.tell(`${process.name}: ${level} ${line}`);
    };
    const log: Log = {
      debug: () => {},
      info: say('info'),
      warn: say('warn'),
      error: say('error'),
      child: () => log,
    };
    const core = composeCore({
      config: ports.config,
      log,
      clock: process.clock,
      dice: this.host.chance,
      daemon: process.name,
      store: ports.store,
      timers: ports.timers,
      lock: ports.lock,
      apis: {
        of: ({ fabricId }) => {
          const fabric = fabrics.get(fabricId);
          if (!fabric) throw new Error(`there is no fabric ${fabricId} to reach`);
          return ports.api(fabricId, fabric.api(process));
        },
        forget: async () => {},
      },
    });
    this.core = core;
    switching.onModeChange(() => {
      core.sweep.now('redis changed').catch(() => {});
    });
    await core.post.start();
    await core.sweep.start();
    await core.pump.start();
  }
}

// A daemon as its process runs it: the real parts over the ports of the simulated servers. systemd starts it again, also
// where its start failed.

import { Traces } from '../../otel/spans.ts';
import { type Core, composeCore } from '../../src/compose.ts';
import type { Config } from '../../src/config.ts';
import { MemoryTimers } from '../../src/fleet/memory-timers.ts';
import { SwitchingTimers } from '../../src/fleet/switching-timers.ts';
import { readServerUrl } from '../../src/kube/address.ts';
import { fabricApiOver } from '../../src/kube/api.ts';
import { openCredential } from '../../src/kube/credentials.ts';
import type { SealingKey } from '../../src/kube/sealing.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { Log } from '../../src/log.ts';
import type { FabricApi } from '../../src/ports/fabric-api.ts';
import type { FabricLock, Lease } from '../../src/ports/lock.ts';
import type { Store } from '../../src/ports/store.ts';
import type { TimerStore } from '../../src/ports/timers.ts';
import { listeningTracer } from './canary.ts';
import type { SimFabric } from './fabric.ts';
import { wayTo } from './fabric-way.ts';
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
  /** What carries the requests to a fabric. */
  readonly way: (fabricId: string, way: Transport) => Transport;
}

export type Mutate = (ports: Ports, place: DaemonPlace, process: SimProcess) => Ports;

export interface DaemonPlace {
  readonly config: Config;
  readonly postgres: SimPostgres;
  /** Null: `REDIS_URL=none`. */
  readonly redis: SimRedis | null;
  /** Opens the credentials in the rows. */
  readonly key: SealingKey;
  readonly fabrics: ReadonlyMap<string, SimFabric>;
  readonly mutate: Mutate | null;
}

/** A lock that a process was granted, from then on. */
export interface HeldLock {
  readonly process: SimProcess;
  readonly fabricId: string;
  /** The newest. */
  lease: Lease;
  /** When that was asked for, virtual milliseconds. */
  askedMs: number;
  /** It was given back, or is in doubt: nobody goes by it any more. */
  over: boolean;
}

export interface LeaseWatch {
  /** It is granted, or renewed. */
  holds(held: HeldLock): void;
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
  /** An actor of it made a transition since somebody last looked. */
  moved = false;
  /** It goes on without Redis. */
  degraded: () => boolean = () => false;
  /** Something is told to somebody outside of the process. */
  onLeaving: (what: unknown, where: string, process: SimProcess) => void = () => {};
  /** It says itself that it has a defect. */
  onDefect: (line: string, process: SimProcess) => void = () => {};
  /** Its dice were asked. */
  onRoll: (roll: number, process: SimProcess) => void = () => {};
  onLease: LeaseWatch = { holds: () => {} };

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
      await core.fleet.stop({ graceMs, abortMs }, new AbortController().signal);
      await core.attempts.dropAll();
      await core.pruner.stop();
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
    const { postgres, redis, mutate, config, key } = this.#place;
    const { world } = this.host;
    const connection = redis?.connect(process, config.leaseTtlMs) ?? null;
    await connection?.settled();
    const switching = connection && new SwitchingTimers(connection.timers, connection.presence);
    const plain: Ports = {
      config,
      store: postgres.connect(process),
      timers: switching ?? new MemoryTimers(),
      lock: connection?.lock ?? noLock,
      api: (_, api) => api,
      way: (_, way) => way,
    };
    const ports = mutate ? mutate(plain, this.#place, process) : plain;
    const leaves = (what: unknown, where: string) => this.onLeaving(what, where, process);
    const core = composeCore({
      config: ports.config,
      log: this.#log(process),
      clock: process.clock,
      dice: {
        roll: () => {
          const roll = this.host.chance.roll();
          this.onRoll(roll, process);
          return roll;
        },
      },
      daemon: process.name,
      store: ports.store,
      timers: ports.timers,
      lock: this.#watched(ports.lock, process),
      apis: {
        of: async (settings) => {
          const { fabricId, name } = settings;
          // As whoever opens a real one does first.
          readServerUrl(settings.server);
          const sources = { credentialsDirectory: null, key };
          const credential = await openCredential(settings.credential, { id: fabricId, name }, sources);
          const way = ports.way(fabricId, wayTo(this.#fabric(fabricId), process, credential));
          return this.#listened(ports.api(fabricId, fabricApiOver(way)), process);
        },
        forget: async () => {},
      },
      tracing: new Traces({
        tracer: listeningTracer(leaves),
        nowMs: () => process.clock.nowMs(),
      }),
    });
    this.core = core;
    this.degraded = () => switching?.degraded ?? false;
    core.tidings.listen((tiding) => leaves(tiding, 'a tiding'));
    core.onTransition(({ context }) => {
      this.moved = true;
      leaves(context, 'the context of an actor');
    });
    switching?.onModeChange(() => {
      if (process.alive)
        world.tell(`${process.name}: ${switching.degraded ? 'goes on without Redis' : 'is back at Redis'}`);
      core.sweep.now('redis changed').catch(() => {});
    });
    await core.post.start();
    await core.sweep.start();
    await core.pruner.start();
    await core.pump.start();
  }

  #fabric(fabricId: string): SimFabric {
    const fabric = this.#place.fabrics.get(fabricId);
    if (!fabric) throw new Error(`there is no fabric ${fabricId} to reach`);
    return fabric;
  }

  #log(process: SimProcess): Log {
    const say = (level: string, isTold: boolean) => (fields: object, line: string) => {
      if (!process.alive) return;
      this.onLeaving([fields, line], 'a line of the log', process);
      if (/\b(?:INTERNAL|PORT_UNBOUND)\b/.test(line)) this.onDefect(line, process);
      if (isTold) this.host.world.tell(`${process.name}: ${level} ${line}`);
    };
    const log: Log = {
      debug: say('debug', false),
      info: say('info', true),
      warn: say('warn', true),
      error: say('error', true),
      child: () => log,
    };
    return log;
  }

  /** What the way to a fabric throws, with its causes, has left it. */
  #listened(api: FabricApi, process: SimProcess): FabricApi {
    const heard =
      <Args extends readonly unknown[], Answer>(ask: (...args: Args) => Promise<Answer>) =>
      (...args: Args): Promise<Answer> => {
        const answer = ask(...args);
        answer.catch((thrown: unknown) => this.onLeaving(thrown, 'a failure of the way to a fabric', process));
        return answer;
      };
    return {
      ...api,
      groups: heard(api.groups),
      kinds: heard(api.kinds),
      page: heard(api.page),
      clusterUid: heard(api.clusterUid),
    };
  }

  /** Tells what this process may trust from when to when. */
  #watched(lock: FabricLock, process: SimProcess): FabricLock {
    const { onLease } = this;
    const { world } = process.host;
    /** What was renewed is the same lock. */
    const held = new WeakMap<Lease, HeldLock>();
    return {
      async acquire(fabricId) {
        const askedMs = world.nowMs;
        const answer = await lock.acquire(fabricId);
        if (answer.kind !== 'acquired') return answer;
        const one: HeldLock = { process, fabricId, lease: answer.lease, askedMs, over: false };
        held.set(answer.lease, one);
        onLease.holds(one);
        return answer;
      },
      async renew(lease) {
        const askedMs = world.nowMs;
        const one = held.get(lease);
        const renewed = await lock.renew(lease);
        if (!one || one.over) return renewed;
        if (renewed) {
          held.set(renewed, one);
          Object.assign(one, { lease: renewed, askedMs });
          onLease.holds(one);
        } else one.over = true;
        return renewed;
      },
      async release(lease) {
        const one = held.get(lease);
        if (one) one.over = true;
        await lock.release(lease);
      },
    };
  }
}

/** As a daemon without Redis has it (`src/servers.ts`). */
const noLock: FabricLock = {
  acquire: async () => ({ kind: 'unavailable', cause: null }),
  renew: async () => null,
  release: async () => {},
};

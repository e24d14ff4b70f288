// The composition root: every `new` of the daemon, in the order in which things stand on each other. Nothing here decides
// anything, and nothing else puts parts together.

import { randomBytes } from 'node:crypto';
import { noTracing, type Tracing } from '../otel/tracing.ts';
import { Tidings } from './admin/tidings.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Dice } from './dice.ts';
import { Attempts } from './fleet/attempts.ts';
import { bindFabricMachine } from './fleet/bind.ts';
import { type FabricTransition, Fleet } from './fleet/fleet.ts';
import type { Measure } from './fleet/measure.ts';
import { createPlanner, type Planner } from './fleet/planner.ts';
import { Post } from './fleet/post.ts';
import { Pruner } from './fleet/pruner.ts';
import { Sweep, type SweepFindings } from './fleet/sweep.ts';
import { committedRun, Teller } from './fleet/tell.ts';
import { TimerPump } from './fleet/timer-pump.ts';
import type { Log } from './log.ts';
import type { FabricLock } from './ports/lock.ts';
import type { Store } from './ports/store.ts';
import type { TimerStore } from './ports/timers.ts';
import { DiscoveryCache } from './sync/discover.ts';
import { type SyncDeps, type SyncLimits, type SyncProgress, syncLimitsDefault, syncOnce } from './sync/run.ts';

export interface CoreDeps {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly daemon: string;
  readonly store: Store;
  readonly timers: TimerStore;
  readonly lock: FabricLock;
  readonly apis: SyncDeps['apis'] & { forget(fabricId: string): Promise<void> };
  /** Where it is absent, nothing is measured. */
  readonly measure?: Measure;
  /** Where it is absent, nothing is traced. */
  readonly tracing?: Tracing;
}

/** What one pass of the sweep may take until it has ended what expired. */
const sweepMs = 1_000;

/** The parts that work on fabrics, without the servers below and the faces above. */
export interface Core {
  readonly attempts: Attempts;
  readonly fleet: Fleet;
  readonly planner: Planner;
  readonly sweep: Sweep;
  readonly post: Post;
  readonly pruner: Pruner;
  readonly pump: TimerPump;
  readonly tidings: Tidings;
  /** Every transition of every fabric, with its context. `hear` must not throw or block. @returns "stop listening" */
  readonly onTransition: (hear: (told: FabricTransition) => void) => () => void;
  /** Every pass of the sweep that came to its end. `hear` must not throw or block. @returns "stop listening" */
  readonly onSwept: (hear: (found: SweepFindings, why: string, startedMs: number) => void) => () => void;
}

/** Starts nothing: that, and in which order, is for the caller, and so are the servers. */
export function composeCore(deps: CoreDeps): Core {
  const { config, log, clock, dice, daemon, apis, measure, tracing = noTracing } = deps;
  const store = measure?.store(deps.store) ?? deps.store;
  const timers = measure?.timers(deps.timers) ?? deps.timers;
  const lock = measure?.lock(deps.lock) ?? deps.lock;
  const tidings = new Tidings();
  const teller = new Teller(log, tidings, clock);
  const hearers = new Set<(told: FabricTransition) => void>();
  const sweepHearers = new Set<(found: SweepFindings, why: string, startedMs: number) => void>();
  const discovery = new DiscoveryCache(clock);
  const syncLimits: SyncLimits = {
    ...syncLimitsDefault,
    pageLimit: config.pageLimit,
    runBytesMax: config.runBytesMax,
    kindsAtOnce: config.readsPerFabric,
  };
  // A dead daemon's lease ends before its timer shows again, with time for a sweep in between: so a run that was cut off
  // is INTERRUPTED, and waits as one that failed, before anybody runs its fabric again.
  const holdMs = config.leaseTtlMs + Math.min(config.sweepIntervalMs, config.leaseTtlMs) + sweepMs;
  const planner = createPlanner(store, clock, () => fleet.size);
  const attempts = new Attempts({
    daemon,
    store,
    timers,
    lock,
    planner,
    clock,
    dice,
    policy: { leaseTtlMs: config.leaseTtlMs, holdMs, backoff: config.backoff },
    sync: async (job, signal) => {
      const tell = (progress: SyncProgress) => teller.progress(job, progress);
      const ending = await syncOnce({ store, apis, discovery, clock, limits: syncLimits, tell }, job, signal);
      measure?.ended(job.fabricId, ending);
      return ending;
    },
    onCommitted: (job, ending) => {
      teller.committed(job, ending);
      tracing.committed(job.fabricId, committedRun(ending));
    },
  });
  const fleet: Fleet = new Fleet({
    machine: bindFabricMachine(attempts, tracing),
    policy: { runDeadlineMs: config.runDeadlineMs, retriesMax: config.backoff.retriesMax },
    concurrency: config.concurrency,
    clock,
    onTransition: (told) =>
      tracing.transition(told, (traceId) => {
        teller.transition(told, traceId);
        measure?.transition(told);
        for (const hear of hearers) hear(told);
      }),
    onStale: (fabricId) => post.reread(fabricId, 'rested'),
    onRemoved: (fabricId, was) => {
      tracing.removed(fabricId, was.name, was.path);
      discovery.forget(fabricId);
      measure?.forget(fabricId);
      const letGo = Promise.all([attempts.drop(fabricId), apis.forget(fabricId)]);
      letGo.catch((cause: unknown) => log.debug({ err: cause, fabric_id: fabricId }, 'a removed fabric lingers'));
    },
  });
  const sweep = new Sweep({
    store,
    timers,
    fleet,
    planner,
    clock,
    log,
    everyMs: config.sweepIntervalMs,
    backoff: config.backoff,
    dice,
    holdMs,
    settleLeft: () => attempts.settleLeft(),
    reread: (fabricId, why) => post.reread(fabricId, why),
    onPass: (found, why, startedMs) => {
      measure?.swept(found, why);
      tracing.swept({ ...found, why, startedMs });
      for (const hear of sweepHearers) hear(found, why, startedMs);
    },
  });
  const post: Post = new Post({ store, timers, fleet, planner, sweep, log });
  const pruner = new Pruner({ store, clock, log, keepMs: config.historyKeepMs });
  const pump = new TimerPump({
    timers,
    slots: fleet.slots,
    clock,
    holdMs,
    deliver: (timer) => {
      // Its row says whether it is wanted; news of that may still be on their way.
      if (!fleet.timerDue(timer)) post.reread(timer.fabricId, 'unexpected timer');
    },
    onTrouble: (cause) => log.debug({ err: cause }, 'the timers could not be read; tried again'),
  });
  const onTransition: Core['onTransition'] = (hear) => {
    hearers.add(hear);
    return () => hearers.delete(hear);
  };
  const onSwept: Core['onSwept'] = (hear) => {
    sweepHearers.add(hear);
    return () => sweepHearers.delete(hear);
  };
  return { attempts, fleet, planner, sweep, post, pruner, pump, tidings, onTransition, onSwept };
}

/** A name for this process that no other one has: it is the holder of its leases. */
export function daemonName(hostname: string, pid: number): string {
  return `${hostname}/${pid}/${randomBytes(3).toString('hex')}`;
}

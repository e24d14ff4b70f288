// Runs one scenario from its beginning to its end, or to the first step after which something does not hold.

import { readConfig } from '../../src/config.ts';
import { kindsDefault } from '../../src/sync/kinds.ts';
import type { Run } from '../support/memory-database.ts';
import { canary, canaryKey } from './canary.ts';
import { Chance } from './chance.ts';
import { Checker } from './checker.ts';
import { type DaemonPlace, type Mutate, SimDaemon } from './daemon.ts';
import { SimFabric } from './fabric.ts';
import { kindsServed } from './fabric-answers.ts';
import { Host } from './host.ts';
import { operate, settingsIn } from './operators.ts';
import { Faults, type Place } from './place.ts';
import { SimPostgres } from './postgres.ts';
import { driftMax, SimRedis } from './redis.ts';
import type { Scenario } from './scenario.ts';
import { scheduleStorm } from './weather.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly violation: string | null;
  /** Virtual time. */
  readonly simulatedMs: number;
  readonly steps: number;
  /** Of everything that happened. */
  readonly digest: string;
  readonly faults: Readonly<Record<string, number>>;
  /** How often two daemons trusted the lock on one fabric at once; the epoch fenced all but one of them. */
  readonly slips: number;
  readonly runs: number;
  readonly commits: number;
  /** What runs failed with that did not commit, by code. */
  readonly failures: Readonly<Record<string, number>>;
  readonly story: readonly string[];
}

export interface SimulateOptions {
  readonly mutate?: Mutate | null;
  /** Letters of invariants that are not asked for. */
  readonly except?: readonly string[];
}

export async function simulate(
  scenario: Scenario,
  { mutate = null, except = [] }: SimulateOptions = {},
): Promise<Outcome> {
  const place = build(scenario, mutate);
  place.checker.except = except;
  const { world, checker, postgres, faults } = place;
  postgres.witness = checker;
  world.onStep = () => {
    checker.look();
    // A list for tests of a few acts.
    postgres.database.acts.length = 0;
  };
  for (const { fabricId, intervalMs, atStart, absent } of scenario.fabrics) {
    if (atStart && !absent) postgres.database.add(fabricId, settingsIn(place, fabricId, intervalMs));
  }
  for (const [at, daemon] of place.daemons.entries()) daemon.startIn(at * 700);
  scheduleStorm(place);
  // When it is calm again people look after what waits for them.
  world.in(scenario.stormMs + 1_000, () => approveAll(place));
  world.in(scenario.stormMs + 5_000, () => triggerSome(place));
  const isOver = () => checker.violation !== null;
  await world.run(scenario.stormMs, isOver);
  const left = [...postgres.database.rows.values()].map(({ intervalMs }) => intervalMs);
  const longestMs = Math.max(...left);
  if (left.length > 0 && !isOver())
    await world.run(scenario.stormMs + checker.promises.livenessMs(longestMs) + 10_000, isOver);
  for (const { process } of place.hosts) process?.die('the world ends');
  const outcomes = postgres.database.runs.map(({ outcome }) => outcome);
  return {
    seed: scenario.seed,
    violation: checker.violation,
    simulatedMs: world.nowMs,
    steps: world.steps,
    digest: world.digest,
    faults: Object.fromEntries(faults.counts),
    slips: checker.leases.slips,
    runs: outcomes.length,
    commits: outcomes.filter((outcome) => outcome === 'complete' || outcome === 'partial').length,
    failures: failuresOf(postgres.database.runs),
    story: world.story,
  };
}

function failuresOf(runs: readonly Run[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { failure } of runs) if (failure) counts[failure.code] = (counts[failure.code] ?? 0) + 1;
  return counts;
}

function build(scenario: Scenario, mutate: Mutate | null): Place {
  const { seed } = scenario;
  const world = new World();
  const config = readConfig({ ...scenario.env, ...loginsOf(scenario) });
  const key = canaryKey(seed);
  const hosts = Array.from({ length: scenario.daemons }, (_, at) => new Host(world, `host-${at + 1}`, seed, driftMax));
  const postgres = new SimPostgres(world, new Chance(seed, 'postgres'));
  const redis = new SimRedis(world, seed, scenario.redis ?? { nodes: 1, apart: false });
  const fabrics = new Map(
    scenario.fabrics.map(({ fabricId, sizes }) => {
      return [fabricId, new SimFabric(world, seed, fabricId, sizes)];
    }),
  );
  const known = { config, key, postgres, fabrics, mutate };
  const daemonPlace: DaemonPlace = { ...known, redis: scenario.redis && redis };
  const kindsRead = new Set(kindsServed.map(({ kind }) => kind));
  const place: Place = {
    scenario,
    world,
    config,
    hosts,
    daemons: hosts.map((host) => new SimDaemon(host, daemonPlace)),
    postgres,
    redis,
    fabrics,
    key,
    faults: new Faults((kind, ms) => checker.disturbed(!/^fabric|cluster/.test(kind), ms)),
    get checker() {
      return checker;
    },
    removed: new Set(),
    kindsRemoved: kindsDefault.map(({ kind }) => kind).filter((kind) => !kindsRead.has(kind)),
  };
  const checker = new Checker(place);
  for (const host of hosts) host.onTrouble = (ms) => checker.disturbed(true, ms);
  for (const daemon of place.daemons) {
    daemon.onLeaving = (what, where, process) => checker.leaves(what, where, process);
    daemon.onDefect = (line, process) => checker.defect(line, process);
    daemon.onLease = checker.leases;
    daemon.onRoll = (roll, process) => checker.budget.rolled(roll, process);
  }
  redis.onArmed = (timers, process) => checker.leaves(timers, 'its timers', process);
  redis.onHandedOut = (timers, process) => checker.handedOut(timers, process);
  for (const [fabricId, fabric] of fabrics) {
    fabric.onRequest = (process, what, path) => checker.requested(fabric, process, what, path);
    fabric.onAnswer = (process, answer) => checker.budget.heard(fabricId, process, answer);
  }
  return place;
}

/** Passwords that are as secret as the tokens. */
function loginsOf({ seed, redis }: Scenario) {
  return {
    DATABASE_URL: `postgres://syncd:${canary(seed, 'postgres')}@nowhere/none`,
    REDIS_URL: redis === null ? 'none' : `redis://:${canary(seed, 'redis')}@nowhere`,
  };
}

/** Every second one: a run that somebody asked for would also mend what only a sweep should. */
function triggerSome(place: Place): void {
  for (const fabricId of place.postgres.database.rows.keys()) {
    if (Number(fabricId) % 2 === 0) void operate(place, fabricId, 'trigger', 0);
  }
}

function approveAll(place: Place): void {
  place.world.in(60_000, () => approveAll(place));
  for (const { fabricId, approval, approved } of place.postgres.database.rows.values()) {
    if (approval && !approved) void operate(place, fabricId, 'approve', 0);
  }
}

// `npm run chaos -- --for 5m`: several daemons on real servers, in a storm of faults, and what is true of the history
// afterwards. Everything is on loopback and ends with it.
//
//   M1. It ends with 1 and the evidence where anything is wrong, with 2 where it could not be done, else with 0.
//   M2. The same seed chooses the same faults.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { formatDuration, NotReadable } from '../../src/duration.ts';
import { load } from '../bench/machine.ts';
import { seededDice } from '../support/seeded-dice.ts';
import { RequestLog } from './accesses.ts';
import { faultsAfter } from './check.ts';
import { lateness, latenessOf, recoveries, runsByOutcome, struckByFault } from './figures.ts';
import { type Ground, openGround } from './ground.ts';
import { type Order, readOrder, usage } from './order.ts';
import { measureRecovery } from './recovery/measure.ts';
import { latenessLine, recoveryTable } from './report.ts';
import { allSynced, rage } from './storm.ts';

/** Everything happens sooner than in earnest, in the same proportions; whoever is cut off again and again comes back. */
const settings = {
  FABRIC_SYNCD_LEASE_TTL: '3s',
  FABRIC_SYNCD_SWEEP_INTERVAL: '500ms',
  FABRIC_SYNCD_BACKOFF_BASE: '200ms',
  FABRIC_SYNCD_BACKOFF_CAP: '1s',
  FABRIC_SYNCD_PROBE_MIN: '2s',
  FABRIC_SYNCD_RUN_DEADLINE: '10s',
  FABRIC_SYNCD_CONNECT_TIMEOUT: '1s',
  FABRIC_SYNCD_REQUEST_TIMEOUT: '3s',
  FABRIC_SYNCD_IDLE_TIMEOUT: '1500ms',
  FABRIC_SYNCD_GRACE_PERIOD: '2s',
};
const leaseTtlMs = 3_000;
/** A dead daemon's lease and hold, a start of a daemon, the longest waits for Redis and Postgres, a probe, and the interval; with room. */
const boundMs = 30_000;

async function chaos(): Promise<number> {
  const order = orderOf(process.argv.slice(2));
  if (typeof order === 'number') return order;
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => ending.abort(new Error(`it was stopped by ${signal}`)));
  }
  try {
    return await (order.recovery ? recovery(order, ending.signal) : storm(order, ending.signal));
  } catch (cause) {
    say(`it could not be done: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
    return 2;
  }
}

async function storm(order: Order, signal: AbortSignal): Promise<number> {
  const ground = await openGround({ ...order, shape: 'lab', settings });
  try {
    say(
      `seed ${order.seed}; ${order.daemons} daemons, ${order.fabrics} fabrics every ${order.intervalSeconds} s${order.lockNodes ? ', three lock nodes' : ''}`,
    );
    if (!ground.dumpTools) say('no dump is restored here: there is no pg_dump that fits the server');
    if (!ground.disk) say('the disk of Redis cannot be filled here: a file system may not be mounted');
    const beganMs = systemClock.nowMs();
    await ground.healAll();
    if ((await allSynced(ground, beganMs, boundMs)) === null)
      throw new Error('not every fabric was synced at the start');
    const stormMs = systemClock.nowMs();
    const log = new RequestLog(ground);
    const [dice, peopleDice] = [seededDice(order.seed), seededDice(order.seed + 1_000_003)];
    const { rounds, deeds, unwell } = await rage(
      { ground, dice, peopleDice, forMs: order.forMs, leaseTtlMs, boundMs, say, gather: () => log.gather() },
      signal,
    );
    const endedMs = systemClock.nowMs();
    const faults = [...unwell, ...(await faultsAfter(ground, { boundMs, leaseTtlMs, deeds, log }))];
    const figures = {
      seed: order.seed,
      rounds: rounds.length,
      struck: struckByFault(rounds),
      recoveries: recoveries(rounds),
      runs: await runsByOutcome(ground.sql),
      lateness: latenessOf(await lateness(ground.sql, { fromMs: stormMs, toMs: endedMs })),
      edits: deeds.edits,
      requests: deeds.requests,
      acts: deeds.acts,
      reads: log.size,
      faults,
    };
    if (order.json) await writeFile(order.json, `${JSON.stringify(figures, null, 2)}\n`);
    say(`\n${recoveryTable(figures.recoveries, figures.struck)}`);
    say(
      `${formatDuration(Math.round((endedMs - stormMs) / 1_000) * 1_000)}, ${rounds.length} rounds; runs: ${counts(figures.runs)}; ${deeds.edits} edits, ${deeds.requests} requests; load ${load()}`,
    );
    for (const [act, times] of Object.entries(deeds.acts)) say(`  ${times} times a fabric was ${act}`);
    say(`${log.size} requests to the fabrics, each compared with the runs`);
    say(latenessLine(figures.lateness));
    for (const fault of faults) say(`WRONG: ${fault}`);
    if (faults.length === 0)
      say('nothing lost, nothing doubled, every invariant holds, and the inventory is what the fabrics serve');
    else say(`again: npm run chaos -- --seed ${order.seed}`);
    return faults.length > 0 ? 1 : signal.aborted ? 130 : 0;
  } finally {
    if (order.keepLogs) await keepLogs(ground, order.keepLogs);
    await ground.close();
  }
}

async function recovery({ only, json }: Order, signal: AbortSignal): Promise<number> {
  const measured = await measureRecovery(only, say, signal);
  if (json) await writeFile(json, `${JSON.stringify(measured, null, 2)}\n`);
  const missed = measured.filter(({ isReached }) => isReached === false);
  for (const { what } of missed) say(`missed: ${what}`);
  return missed.length > 0 ? 1 : 0;
}

const counts = (of: Readonly<Record<string, number>>) =>
  Object.entries(of)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

async function keepLogs({ seats }: Ground, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const path of seats.flatMap(({ logs }) => logs)) await cp(path, join(dir, basename(path)));
}

function orderOf(args: readonly string[]): Order | number {
  try {
    const order = readOrder(args, 1 + (Math.floor(systemClock.nowMs()) % 1_000_000));
    if (order) return order;
    say(usage);
    return 0;
  } catch (problem) {
    if (!(problem instanceof NotReadable || problem instanceof TypeError)) throw problem;
    say(`${problem.message}\n\n${usage}`);
    return 2;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await chaos();

// What must be true when a storm is over, read off Postgres's history, Redis, the fabrics and the daemons' logs: nothing
// of what the daemons say of themselves is believed.

import { readdir } from 'node:fs/promises';
import { systemClock } from '../../src/clock.ts';
import { timerViolations, violations } from '../support/invariants.ts';
import { ticksLost, unkept } from '../support/process/witness.ts';
import type { RequestLog } from './accesses.ts';
import { heldRuns } from './chronicle.ts';
import { type Ground, redisPrefix } from './ground.ts';
import { inventoryFaults } from './inventory.ts';
import type { Deeds } from './people.ts';
import { allSynced } from './storm.ts';

export interface Afterwards {
  readonly boundMs: number;
  readonly leaseTtlMs: number;
  readonly deeds: Deeds;
  readonly log: RequestLog;
}

/** Everything that is wrong, a line each; with it every daemon is ended, in order. */
export async function faultsAfter(ground: Ground, afterwards: Afterwards): Promise<readonly string[]> {
  const { boundMs, leaseTtlMs, deeds, log } = afterwards;
  const { sql, seats, fabrics, secrets } = ground;
  const faults: string[] = [];
  const find = (what: string, found: readonly unknown[]) => {
    for (const one of found) faults.push(`${what}: ${typeof one === 'string' ? one : JSON.stringify(one)}`);
  };
  await ground.healAll();
  if ((await allSynced(ground, systemClock.nowMs(), boundMs)) === null)
    faults.push('not every fabric is in sync within the bound');
  find(
    'a request was never answered',
    await soon(
      boundMs,
      () => sql`select id::text, fabric_id::text, asked_at from fabric_request where settled_at is null`,
    ),
  );
  const sources = {
    sql,
    redis: { url: ground.redisServer.url, prefix: redisPrefix },
    secrets,
  };
  find('due times and timers', await soon(boundMs, () => timerViolations(sources)));
  find('invariant', await violations(sources));
  const ticks = await ticksLost(sql);
  const isTouched = ({ fabric, dueMs, untilMs }: (typeof ticks)[number]) =>
    deeds.touched.some((one) => one.fabric === fabric && one.fromMs <= untilMs && dueMs <= one.toMs + wireMs);
  // Whoever changes a fabric breaks what was promised of it, rightly.
  find(
    'a tick was lost',
    ticks.filter((tick) => !isTouched(tick)),
  );
  find('an operator', deeds.wrong);
  find('not quiet', await disturbed(sql, deeds));
  find('an interval is not kept', await farOff(sql));
  for (const [way, found] of Object.entries(await unkept(sql, wireMs))) find(way, found);
  find('inventory', await soon(boundMs, () => inventoryFaults(sql, fabrics)));

  for (const seat of seats) {
    const how = await seat.stop();
    if (how !== 0) faults.push(`${seat.name} was told to stop and ended with ${how}`);
    find('ended by itself', seat.endedByItself);
    find('logged', (await seat.lines()).filter((line) => /"code":"INTERNAL"|"level":"fatal"/.test(line)).slice(0, 5));
    find(
      'a secret was logged',
      (await seat.lines()).filter((line) => secrets.some((secret) => line.includes(secret))).slice(0, 1),
    );
  }
  find(
    'a lease is left',
    await sql`select fabric_id::text, lease_holder from fabric_cycle where lease_holder is not null`,
  );
  find(
    'a connection to Postgres is left',
    await soon(
      5_000,
      () => sql`select application_name from pg_stat_activity where application_name like 'fabric-syncd %'`,
    ),
  );
  // Nobody asks any more: everything that was asked has an end.
  find('a request and its run', await log.faults(sql, leaseTtlMs, wireMs));
  const folders = await Promise.all(seats.map(({ socketDir }) => readdir(socketDir)));
  find(
    'a socket is left',
    folders.flat().filter((name) => name.endsWith('.sock')),
  );
  return faults;
}

/** Runs that began where people had been told that none would. */
async function disturbed(sql: Ground['sql'], { quiet }: Deeds): Promise<readonly string[]> {
  const runs = await heldRuns(sql, (daemon) => daemon);
  return quiet.flatMap(({ fabric, why, fromMs, toMs }) =>
    runs
      .filter((run) => run.fabric === fabric && run.fromMs > fromMs && run.fromMs < toMs)
      .map(({ runId, daemon }) => `run ${runId} of ${fabric} by ${daemon} began while ${why}`),
  );
}

/** Who is at rest and is to be synced later than its interval says. */
function farOff(sql: Ground['sql']) {
  return sql`
    select f.name, f.sync_interval, c.due_at, now() from fabric f join fabric_cycle c on c.fabric_id = f.id
     where c.state = 'scheduled' and c.due_at > now() + make_interval(secs => 1 + 1.5 * f.sync_interval)`;
}

const lookEveryMs = 100;
/** A slow wire takes 80 ms a way, and the machine may be busy. */
const wireMs = 1_000;

/** What is still found when it was given time to go. */
async function soon<Found>(withinMs: number, look: () => PromiseLike<readonly Found[]>): Promise<readonly Found[]> {
  const deadlineMs = systemClock.monotonicMs() + withinMs;
  for (;;) {
    const found = [...(await look())];
    if (found.length === 0 || systemClock.monotonicMs() > deadlineMs) return found;
    await systemClock.sleep(lookEveryMs);
  }
}

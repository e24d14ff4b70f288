// One bad day of one fabric, from the first failed run to the first good one, and what an operator sees of it.
//
//   W1. The status names the true cause and what to do, in the terminal as in JSON.
//   W2. Nothing that is stored changes, and `last_sync` stays where it was.
//   W3. It is tried again by itself, and it is well by itself once the weather clears.
//   W4. The neighbour keeps its pace all the while.
//   W5. Every invariant holds when it is over.

import { expect, vi } from 'vitest';
import type { FailureCode } from '../../../machines/fabric/failure.ts';
import { eventually, type Kept, type Patient, type Seen, type Station } from './station.ts';

export interface Storm {
  /** Completes "a fabric with …". */
  readonly what: string;
  readonly code: FailureCode;
  /** The cause, in the words that matter. */
  readonly says: RegExp;
  /** What to do; `NAME` stands for the fabric's name. */
  readonly advice: string;
  readonly connection: 'connected' | 'disconnected' | 'error';
  readonly strike: (patient: Patient, station: Station) => Promise<unknown>;
  /** Where it is not just the simulated fabric's faults that end. */
  readonly clear?: (patient: Patient, station: Station) => Promise<unknown>;
}

/** Every failure gets this far: the neighbour's runs begin when they are due, whatever hangs beside it. */
const latenessMsMax = 2_000;

export async function endure(station: Station, storm: Storm): Promise<void> {
  const patient = await station.patient();
  const before = await patient.kept();
  const since = await newestRun(station);
  await storm.strike(patient, station);
  await station.verb('trigger', patient.name, '--no-wait');

  const seen = await patient.inTrouble(storm.code);
  expectTold(seen, storm, patient.name);
  await vi.waitFor(async () => {
    const terminal = await station.verb('status', patient.name);
    expect(terminal.stdout).toMatch(storm.says);
    expect(terminal.stdout).toContain(seen.hint);
  }, eventually);

  const inTrouble = await patient.kept();
  expectNothingLost(inTrouble, before);
  await vi.waitFor(async () => expect((await patient.seen()).attempts).toBeGreaterThan(seen.attempts), eventually);
  expect(await patient.kept()).toEqual(inTrouble);
  await expectUndisturbed(station, since);

  const ill = await newestRun(station);
  await (storm.clear ?? (({ cluster }) => cluster.faults.clear()))(patient, station);
  const well = await patient.wellAgain();
  expect(well).toMatchObject({ error_code: null, hint: '', connection_error: '', attempts: 0, objects: 38 });
  expect(well.runs.filter(({ id, trigger }) => Number(id) > ill && trigger === 'manual')).toEqual([]);
  expectNothingLost(await patient.kept(), before);
  await station.check();
  await patient.remove();
}

function expectTold(seen: Seen, { says, advice, connection }: Storm, name: string): void {
  expect(seen.sync_error).toMatch(says);
  expect(seen.sync_error).not.toMatch(/\p{Cc}/u);
  expect(seen.hint).toContain(advice.replaceAll('NAME', name));
  expect(seen.state).toMatch(/^(backoff|errored|locked|syncing)$/);
  expect(seen.connection_status).toBe(connection);
  if (connection === 'connected') expect(seen.connection_error).toBe('');
  else expect(seen.connection_error).toMatch(says);
  expect(seen.last_run).toMatchObject({ outcome: 'failed', created: 0, updated: 0, deleted: 0 });
}

export function expectNothingLost(now: Kept, before: Kept): void {
  expect(now.rows).toEqual(before.rows);
  expect(now.changes).toEqual(before.changes);
}

/** The newest run of any fabric: what comes after it has a larger number. */
export async function newestRun({ sql }: Pick<Station, 'sql'>): Promise<number> {
  const [row] = await sql<{ id: number }[]>`select coalesce(max(id), 0)::int as id from fabric_run`;
  return row?.id ?? 0;
}

/** The neighbour went on since: every run complete, none late, and at least one of them begun and ended. */
export async function expectUndisturbed({ sql, neighbour }: Station, since: number): Promise<void> {
  const runs = () => sql<{ outcome: string | null; late: number }[]>`
    select outcome, extract(epoch from started_at - due_at)::float8 * 1000 as late
      from fabric_run where fabric_id = ${neighbour.id} and id > ${since} order by id`;
  await vi.waitFor(async () => {
    expect((await runs()).map(({ outcome }) => outcome)).toContain('complete');
  }, eventually);
  for (const { outcome, late } of await runs()) {
    expect([null, 'complete']).toContain(outcome);
    expect(late).toBeLessThan(latenessMsMax);
  }
}

// The contract of what is told (`otel/names.ts`) held against what is told: cycles of every outcome, with a whole daemon
// over memory. What lies below (requests, commands, statements) is held against it by `test/servers/traces.test.ts`, and the
// command line by `test/process/traces.test.ts`.

import { isDeepStrictEqual } from 'node:util';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Plan } from '../../machines/fabric/plan.ts';
import type { EventContract, MetricContract, SpanContract } from '../../otel/contract.ts';
import { attributes, counted, distributed, events, observed, ofProcess, spans } from '../../otel/names.ts';
import { memoryDaemon, pass, until } from '../support/memory-daemon.ts';
import { memoryOperator } from '../support/memory-operator.ts';
import { breaches, type ToldSpan, untold } from '../support/trace-contract.ts';
import { type TracedPlace, tracedDaemon } from '../support/traced-daemon.ts';

interface Ready extends TracedPlace {
  readonly row: ReturnType<TracedPlace['database']['add']>;
  path(): string | undefined;
  /** A run stands still in the middle. */
  running(): Promise<void>;
  /** The next run came to its rest, whatever it came to. */
  cycle(): Promise<void>;
}

const secret = 'canary-4711';

async function ready(env: Record<string, string> = {}): Promise<Ready> {
  const place = tracedDaemon({ env });
  const row = place.database.add('7', { guardCount: 1 });
  place.fabric.put('VPC', 'a', 'b', 'c', 'd');
  await place.daemon.start();
  const path = () => place.daemon.fleet.member('7')?.path;
  const isRested = () => path()?.endsWith('.waiting') ?? false;
  const claims = () => place.database.acts.filter((act) => act === 'claim 7').length;
  await pass(place.clock, 5_000);
  await until(() => row.status === 'in_sync' && isRested());
  return {
    ...place,
    row,
    path,
    async running() {
      place.gate.shut();
      await pass(place.clock, 60_250);
      await until(() => place.gate.waiting === 1 && path() === 'syncing.running');
    },
    async cycle() {
      const before = claims();
      await pass(place.clock, 60_250);
      await until(() => claims() > before && isRested());
    },
  };
}

const dueOf = (plan: Plan | undefined) => (plan && plan.state !== 'idle' ? plan.dueAtMs : null);

const refused = () => new FabricFailure('UNREACHABLE', 'connection refused', { cause: new Error(secret) });

/** By the outcome that the last run must have, and whether that is an error. */
const outcomes: Readonly<
  Record<string, { isError: boolean; env?: Record<string, string>; make(at: Ready): Promise<void> }>
> = {
  complete: {
    isError: false,
    async make({ cycle, fabric }) {
      fabric.put('VPC', 'e', { name: 'a', spec: { of: 'something else' } });
      fabric.drop('VPC', 'b');
      await cycle();
    },
  },
  partial: {
    isError: false,
    async make({ cycle, fabric }) {
      fabric.trouble = ({ kind }) => (kind === 'VPC' ? { kind: 'forbidden', message: 'no' } : undefined);
      await cycle();
    },
  },
  awaiting_approval: {
    isError: false,
    async make({ cycle, fabric }) {
      fabric.drop('VPC', 'a', 'b', 'c', 'd');
      await cycle();
    },
  },
  failed: {
    isError: true,
    async make({ cycle, fabric }) {
      fabric.troubleElsewhere = async () => {
        throw refused();
      };
      await cycle();
    },
  },
  cancelled: {
    isError: false,
    async make({ running, daemon, path }) {
      await running();
      daemon.post.hear({ what: 'cancel', fabricId: '7', by: 'ann' });
      await until(() => path() === 'scheduled.waiting');
    },
  },
  fenced: {
    isError: false,
    async make({ running, row, gate, path }) {
      await running();
      Object.assign(row, { epoch: row.epoch + 1 });
      gate.open();
      await until(() => path() === 'scheduled.waiting');
    },
  },
  contended: {
    isError: false,
    async make({ cycle, row, clock }) {
      Object.assign(row, { leaseHolder: 'other', leaseUntilMs: clock.nowMs() + 1e9 });
      await cycle();
    },
  },
  superseded: {
    isError: false,
    async make({ database, row, cycle }) {
      // The news of it is lost.
      database.before = (act) => {
        if (act === 'claim') row.dueAtMs = (row.dueAtMs ?? 0) + 60_000;
      };
      await cycle();
    },
  },
  not_run: {
    isError: true,
    async make({ database, cycle }) {
      database.before = (act) => {
        if (act === 'claim') throw new FabricFailure('DATABASE_UNAVAILABLE', 'it does not answer');
      };
      await cycle();
    },
  },
  removed: {
    isError: false,
    async make({ running, database, daemon }) {
      await running();
      database.rows.delete('7');
      database.tell({ what: 'settings', fabricId: '7' });
      await until(() => daemon.fleet.size === 0);
    },
  },
  abandoned: {
    isError: false,
    async make({ running, traces }) {
      await running();
      traces.end();
    },
  },
};

const kinds = { [SpanKind.INTERNAL]: 'internal', [SpanKind.CLIENT]: 'client' } as const;

const asTold = (span: ReadableSpan): ToldSpan => ({
  name: span.name,
  kind: kinds[span.kind as keyof typeof kinds] ?? String(span.kind),
  attributes: span.attributes,
  events: span.events,
  links: span.links,
});

/** Of all tests in this file: the last one asks what none of them told. */
const everything: ToldSpan[] = [];

async function heldAgainstContract({ spans: told }: TracedPlace): Promise<readonly ReadableSpan[]> {
  const those = await told();
  everything.push(...those.map(asTold));
  expect(those.map(asTold).flatMap(breaches)).toEqual([]);
  expect(
    JSON.stringify(those.map(({ attributes: a, events, links, status }) => [a, events, links, status])),
  ).not.toContain(secret);
  return those;
}

describe('a run that is', () => {
  test.each(Object.entries(outcomes))('%s tells what the contract says', async (outcome, { isError, env, make }) => {
    const at = await ready(env);
    await make(at);
    const those = await heldAgainstContract(at);
    const runs = those.filter(({ name }) => name === 'fabric.run');
    // The first one was complete.
    const second = runs[1];
    expect(second?.attributes['fabric.run.outcome']).toBe(outcome);
    expect(second?.status.code).toBe(isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET);
  });

  test('every outcome of the contract is tried', () => {
    const told = [...attributes['fabric.run.outcome'].matchAll(/`(\w+)`/g)].map(([, outcome]) => outcome);
    expect(told).toEqual(Object.keys(outcomes));
  });
});

describe('what happens outside of a run', () => {
  test('is a trace of its own: paused, resumed, removed', async () => {
    const at = await ready();
    at.row.paused = { untilMs: null };
    at.database.tell({ what: 'settings', fabricId: '7' });
    await until(() => at.path() === 'idle');
    at.row.paused = null;
    at.database.tell({ what: 'settings', fabricId: '7' });
    await until(() => at.path() === 'scheduled.waiting');
    at.database.rows.delete('7');
    at.database.tell({ what: 'settings', fabricId: '7' });
    await until(() => at.daemon.fleet.size === 0);
    const those = await heldAgainstContract(at);
    const replans = those.filter(({ name }) => name === 'fabric.replan');
    const ofTrace = (traceId: string) =>
      those
        .filter((span) => span.spanContext().traceId === traceId && span.name.startsWith('fabric.transition '))
        .map(({ attributes: a }) => `${a['fabric.transition.from']} > ${a['fabric.transition.to']}`);
    expect(replans.map((root) => ofTrace(root.spanContext().traceId))).toEqual([
      ['idle > scheduled.waiting'],
      ['scheduled.waiting > idle'],
      ['idle > scheduled.arming', 'scheduled.arming > scheduled.waiting'],
      ['scheduled.waiting > removed'],
    ]);
  });

  test('is told of a fabric that only people sync: paused and resumed, by whom, though it is idle all the while', async () => {
    const at = tracedDaemon();
    at.database.add('7', { schedulerEnabled: false });
    await at.daemon.start();
    const people = memoryOperator(at.database);
    const reason = () => at.daemon.fleet.member('7')?.context.plan;
    await people.pause('7', { by: 'ann@noc', reason: 'works', untilMs: null });
    await until(() => isDeepStrictEqual(reason(), { state: 'idle', reason: 'paused' }));
    await people.resume('7', 'bob@noc');
    await until(() => isDeepStrictEqual(reason(), { state: 'idle', reason: 'scheduler_disabled' }));
    // The same word again is no news.
    await pass(at.clock, 60_000);
    const moves = (await heldAgainstContract(at)).filter(({ name }) => name === 'fabric.transition idle');
    expect(moves.map(({ attributes: a }) => [a['fabric.reason'], a['fabric.idle.reason']])).toEqual([
      ['start', 'scheduler_disabled'],
      ['ann@noc', 'paused'],
      ['bob@noc', 'scheduler_disabled'],
    ]);
    expect(at.daemon.lines.filter((line) => line.includes('idle'))).toEqual([
      'info fabric-7: idle (scheduler_disabled)',
      'info fabric-7: idle (paused)',
      'info fabric-7: idle (scheduler_disabled)',
    ]);
  });

  test('is told of a fabric that another daemon ran: who, and when it is due now', async () => {
    const at = tracedDaemon();
    const row = at.database.add('7');
    await at.daemon.start();
    // It takes no timer any more.
    await at.daemon.pump.stop();
    await memoryDaemon(at, 'two').start();
    await pass(at.clock, 5_000);
    const known = () => at.daemon.fleet.member('7')?.context.plan;
    await until(() => row.status === 'in_sync' && known()?.state === 'scheduled' && row.dueAtMs === dueOf(known()));
    const told = (await heldAgainstContract(at)).filter(({ attributes: a }) => a['fabric.reason'] === 'two');
    expect(told.map(({ name }) => name)).toEqual(['fabric.transition scheduled.waiting', 'fabric.replan']);
    expect(told[0]?.attributes).toMatchObject({
      'fabric.transition.from': 'scheduled.waiting',
      'fabric.timer.due_at': new Date(row.dueAtMs ?? 0).toISOString(),
    });
  });

  test('a sweep is told that repaired something, and no other', async () => {
    const at = await ready();
    await pass(at.clock, 20_000);
    const sweeps = async () => (await heldAgainstContract(at)).filter(({ name }) => name === 'fabric.sweep');
    // The one at the start armed the first timer.
    const before = await sweeps();
    await at.timers.cancel('7');
    await pass(at.clock, 5_000);
    const after = await sweeps();
    expect(after.length - before.length).toBe(1);
    expect(after.at(-1)?.attributes).toMatchObject({ 'fabric.sweep.rearmed': 1 });
  });

  test('a run that a person asked for tells who, and links to the command', async () => {
    const at = await ready();
    const line = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    at.database.request('7', 'ann@noc', line);
    await until(() => at.database.runs.length === 2 && at.path() === 'scheduled.waiting');
    const run = (await heldAgainstContract(at)).findLast(({ name }) => name === 'fabric.run');
    expect(run?.attributes['fabric.reason']).toBe('ann@noc');
    expect(run?.links.map(({ context, attributes: a }) => [context.spanId, a])).toEqual([
      ['b7ad6b7169203331', { 'fabric.link': 'requested_by' }],
    ]);
  });

  test('a run that several asked for links to each of them', async () => {
    const at = await ready();
    // Nobody is heard before all have asked.
    at.database.carry = () => {};
    const spanIds = ['b7ad6b7169203331', 'b7ad6b7169203332'];
    for (const id of spanIds) at.database.request('7', 'ann', `00-0af7651916cd43dd8448eb211c80319c-${id}-01`);
    at.database.request('7', 'bob');
    await pass(at.clock, 5_000);
    await until(() => at.database.runs.length === 2 && at.path() === 'scheduled.waiting');
    const run = (await heldAgainstContract(at)).findLast(({ name }) => name === 'fabric.run');
    expect(run?.links.map(({ context }) => context.spanId)).toEqual(spanIds);
  });

  test('an act of the page is a trace of its own, which its run links to', async () => {
    const at = await ready();
    const act = { act: 'trigger', by: 'ann@noc', fabricId: '7', name: 'fabric-7' };
    const people = memoryOperator(at.database);
    await at.traces.acted(act, (traceparent) => people.request(['7'], 'ann@noc', traceparent));
    await until(() => at.database.runs.length === 2 && at.path() === 'scheduled.waiting');
    const refused = Object.assign(new Error('no'), { code: 'PAUSED' });
    await expect(at.traces.acted(act, () => Promise.reject(refused))).rejects.toBe(refused);
    const those = await heldAgainstContract(at);
    const [done, failed] = those.filter(({ name }) => name === 'fabric.act trigger');
    const run = those.findLast(({ name }) => name === 'fabric.run');
    expect(run?.links.map(({ context, attributes: a }) => [context.spanId, a])).toEqual([
      [done?.spanContext().spanId, { 'fabric.link': 'requested_by' }],
    ]);
    expect(failed?.attributes['error.type']).toBe('PAUSED');
    expect(
      at.buffer
        .recent('7')
        .map(({ outcome }) => outcome)
        .slice(0, 3),
    ).toEqual(['trigger', 'complete', 'trigger']);
  });

  test('the state in which only a person can help is an error, and that before it is none', async () => {
    const at = await ready({ FABRIC_SYNCD_RETRIES_MAX: '1' });
    at.fabric.troubleElsewhere = async () => {
      throw refused();
    };
    await at.cycle();
    await pass(at.clock, 5_000);
    await until(() => at.path() === 'errored.waiting');
    const those = await heldAgainstContract(at);
    const state = (name: string) => those.findLast((span) => span.name === `fabric.state ${name}`)?.status.code;
    expect([state('backoff'), state('errored')]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.ERROR]);
    const retry = those.findLast(({ name }) => name === 'fabric.run');
    expect(retry?.links.map(({ attributes: a }) => a)).toEqual([{ 'fabric.link': 'failed_attempt' }]);
  });

  test('a merge that fails tells its code', async () => {
    const at = await ready();
    at.database.before = (act) => {
      if (act === 'commit') throw new FabricFailure('DATABASE_REFUSED', 'no');
    };
    await at.cycle();
    const merge = (await heldAgainstContract(at)).findLast(({ name }) => name === 'fabric.merge');
    expect(merge?.attributes['error.type']).toBe('DATABASE_REFUSED');
  });
});

describe('the contract', () => {
  test('has nothing that was never told', () => {
    expect(untold(everything, ['run', 'replan', 'state', 'transition', 'merge', 'sweep', 'act'])).toEqual([]);
  });

  test('has no attribute that nothing has', () => {
    const metrics = Object.values<MetricContract>({ ...counted, ...distributed, ...observed, ...ofProcess });
    const used = [
      ...Object.values<SpanContract>(spans).flatMap(({ always, sometimes = [] }) => [...always, ...sometimes]),
      ...Object.values<EventContract>(events).flatMap((event) => event.attributes),
      ...metrics.flatMap((metric) => Object.keys(metric.attributes)),
      // Of links.
      'fabric.link',
    ];
    expect(Object.keys(attributes).filter((name) => !used.includes(name))).toEqual([]);
  });

  test('has no event that no span has', () => {
    const used = Object.values<SpanContract>(spans).flatMap((span) => span.events ?? []);
    expect(Object.keys(events)).toEqual([...new Set(used)]);
  });

  test('names no fabric', async () => {
    for (const { name } of everything) expect(name).not.toContain('fabric-7');
  });
});

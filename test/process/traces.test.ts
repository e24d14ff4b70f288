// What is traced, across processes and across time: the real program, sent to a collector in the test.

import { expect, test, vi } from 'vitest';
import type { ReceivedSpan } from '../support/otlp/received.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { type Bed, bedsOfThisFile, type Patient, type Run } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { meddler, redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();

async function tracedBed(): Promise<{ bed: Bed; receiver: OtlpReceiver }> {
  const receiver = await new OtlpReceiver().start();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
  const bed = await openBed({ env });
  bed.onClose(() => receiver.stop());
  return { bed, receiver };
}

/** The root span of a run, once it was delivered. */
const rootOf = (receiver: OtlpReceiver, run: Pick<Run, 'id'>): Promise<ReceivedSpan> =>
  receiver.until(({ spans }) =>
    spans.find((span) => span.name === 'fabric.run' && span.attributes['fabric.run.id'] === run.id),
  );

/** Its links as `how trace/span`. */
const linksOf = (span: ReceivedSpan) =>
  span.links.map(({ traceId, spanId, attributes }) => `${attributes['fabric.link']} ${traceId}/${spanId}`);

const traceparentOf = async (bed: Bed, run: Run) => {
  const [row] = await bed.sql<[{ traceparent: string | null }]>`
    select traceparent from fabric_run where id = ${run.id}::bigint`;
  return row.traceparent;
};

/** The trace of the run before that one, as `trace/span`, by its row. */
async function lineBefore(bed: Bed, patient: Patient, run: Run): Promise<string> {
  const runs = await patient.runs();
  const before = runs[runs.findIndex(({ id }) => id === run.id) - 1];
  if (!before) throw new Error(`nothing ran before run ${run.id}`);
  const [, traceId, spanId] = (await traceparentOf(bed, before))?.split('-') ?? [];
  return `${traceId}/${spanId}`;
}

/** The names of everything below a span, with those of its children. */
function below(spans: readonly ReceivedSpan[], root: ReceivedSpan): readonly string[] {
  const mine = spans.filter(({ traceId }) => traceId === root.traceId);
  const children = (parent: ReceivedSpan): ReceivedSpan[] =>
    mine.filter(({ parentSpanId }) => parentSpanId === parent.spanId).flatMap((child) => [child, ...children(child)]);
  return children(root).map(({ name }) => name);
}

async function interrupt(patient: Patient): Promise<Run> {
  await patient.cluster.faults.set({ does: 'stall', where: { kind: 'Connection', page: 1 } });
  const run = await vi.waitFor(async () => {
    const working = await patient.working();
    expect(patient.cluster.counts.inFlight, 'one page stands still').toBe(1);
    return working;
  }, eventually);
  return run;
}

test('a cycle from the timer to the commit is one trace, with every request, command and statement in its place', async () => {
  const { bed, receiver } = await tracedBed();
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  const daemon = await bed.daemon().ready();
  const run = await patient.synced();
  const root = await rootOf(receiver, run);
  expect(await daemon.stop()).toBe(0);

  const names = below(receiver.spans, root);
  // Nothing of the trace hangs in the air.
  const mine = receiver.spans.filter(({ traceId }) => traceId === root.traceId);
  expect(names.length).toBe(mine.length - 1);
  expect(names).toEqual(
    expect.arrayContaining([
      'fabric.transition locked.acquiring',
      'EVALSHA acquire-lock',
      'GET /apis',
      'GET /apis/wiring.githedgehog.com/v1beta1/namespaces/{namespace}/switches',
      'fabric.merge',
      'BEGIN',
      'COMMIT',
      'EVALSHA arm-timers',
      'fabric.transition scheduled.waiting',
    ]),
  );
  const requests = mine.filter(({ name }) => name.startsWith('GET '));
  const [said] = await bed.sql<[{ requests: number }]>`select requests from fabric_run where id = ${run.id}::bigint`;
  expect(requests.length, 'one span a request').toBe(said.requests);
  expect(await traceparentOf(bed, run)).toBe(`00-${root.traceId}-${root.spanId}-01`);
  expect(receiver.faults).toEqual([]);
});

test('a run links to the one that armed its timer, across a kill and a start', async () => {
  const { bed, receiver } = await tracedBed();
  const patient = await bed.fabric('lab', { sync_interval: 3 });
  const first = await bed.daemon({}, 1).ready();
  const before = await patient.synced();
  await patient.until((row) => row.state === 'scheduled', 'at rest');
  await first.kill();

  await bed.daemon({}, 1).ready();
  const next = await patient.synced(before.id);
  expect(linksOf(await rootOf(receiver, next))).toEqual([`armed_by ${await lineBefore(bed, patient, next)}`]);
});

test('a run that was killed is linked from its retry, though no span of it was ever told', async () => {
  const { bed, receiver } = await tracedBed();
  const patient = await bed.fabric('lab');
  const first = await bed.daemon({}, 1).ready();
  await patient.synced();
  const interrupted = await interrupt(patient);
  await first.kill();
  await patient.cluster.faults.clear();

  await bed.daemon({}, 1).ready();
  const retry = await patient.synced(interrupted.id);
  expect(retry.trigger).toBe('retry');
  const root = await rootOf(receiver, retry);
  expect(linksOf(root)).toEqual([`failed_attempt ${await lineBefore(bed, patient, retry)}`]);
  expect(receiver.spans.some(({ attributes }) => attributes['fabric.run.id'] === interrupted.id)).toBe(false);
});

test('another daemon that takes the timer over links to the run that armed it, elsewhere', async () => {
  const { bed, receiver } = await tracedBed();
  const patient = await bed.fabric('lab', { sync_interval: 4 });
  const first = await bed.daemon({}, 1).ready();
  const before = await patient.synced();
  await bed.daemon({}, 2).ready();
  expect(await first.stop()).toBe(0);

  const elsewhere = await vi.waitFor(async () => {
    const run = (await patient.runs()).find(
      ({ daemon, outcome }) => daemon !== before.daemon && outcome === 'complete',
    );
    return run ?? Promise.reject(new Error('the other daemon has run nothing'));
  }, eventually);
  const root = await rootOf(receiver, elsewhere);
  expect(linksOf(root)).toEqual([`armed_by ${await lineBefore(bed, patient, elsewhere)}`]);
  const instances = receiver.spans
    .filter(({ name }) => name === 'fabric.run')
    .map(({ resource }) => resource['service.instance.id']);
  expect(new Set(instances).size, 'two daemons').toBe(2);
});

test.skipIf(redisFound === null)(
  'a timer that Redis lost is armed from the row, and its run links all the same',
  async () => {
    const { bed, receiver } = await tracedBed();
    const patient = await bed.fabric('lab', { sync_interval: 4 });
    await bed.daemon({ FABRIC_SYNCD_SWEEP_INTERVAL: '300ms' }).ready();
    const before = await patient.synced();
    await patient.until((row) => row.state === 'scheduled', 'at rest');
    const client = await meddler(bed.redisUrl);
    await client.del(bed.keys.timers, bed.keys.payloads);
    client.disconnect();
    const next = await patient.synced(before.id);
    expect(linksOf(await rootOf(receiver, next))).toEqual([`armed_by ${await lineBefore(bed, patient, next)}`]);
    const sweep = await receiver.until(({ spans }) => spans.find(({ name }) => name === 'fabric.sweep'));
    expect(sweep.attributes).toMatchObject({ 'fabric.sweep.rearmed': 1 });
  },
);

test('a manual run links to the command, and the command hangs below whoever called it', async () => {
  const { bed, receiver } = await tracedBed();
  const patient = await bed.fabric('lab', { sync_interval: 3600 });
  await bed.daemon().ready();
  const before = await patient.synced();
  const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const answer = await bed.cliWith({ TRACEPARENT: `00-${caller.traceId}-${caller.spanId}-01` }, 'trigger', 'lab');
  expect(answer.code).toBe(0);
  const command = await receiver.until(({ spans }) => spans.find(({ name }) => name === 'fabric-syncd trigger'));
  expect(command).toMatchObject({ traceId: caller.traceId, parentSpanId: caller.spanId });
  const root = await rootOf(receiver, await patient.synced(before.id));
  expect(linksOf(root)).toEqual([`requested_by ${command.traceId}/${command.spanId}`]);
});

test('a collector that hangs holds up neither a run nor the end of the daemon', async () => {
  const { bed, receiver } = await tracedBed();
  receiver.behave({ kind: 'hang' });
  const patient = await bed.fabric('lab', { sync_interval: 1 });
  const daemon = await bed.daemon().ready();
  const first = await patient.synced();
  await receiver.until(({ hanging }) => hanging > 0);
  await patient.synced(first.id);
  expect(await daemon.stop()).toBe(0);
  expect(receiver.spans, 'nothing was ever accepted').toEqual([]);
  await bed.expectNothingLeft();
});

// What lies below a run, as real servers make it: requests, commands and statements, held against the contract.

import { readFile } from 'node:fs/promises';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type OpenTraces, openTraces } from '../../otel/start.ts';
import { systemClock } from '../../src/clock.ts';
import { hold } from '../support/hold.ts';
import type { ReceivedSpan } from '../support/otlp/received.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { meddler } from '../support/redis.ts';
import { breaches, untold } from '../support/trace-contract.ts';
import { openStation, type Patient, type Station } from './weather/station.ts';

const secret = 'canary-4711';

let receiver: OtlpReceiver;
let traces: OpenTraces | null;
let station: Station;
let patient: Patient;

beforeAll(async () => {
  receiver = await new OtlpReceiver().start();
  traces = await openTraces({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50' },
    resource: resourceFromAttributes({ 'service.name': 'tried' }),
    version: '0',
    keep: true,
    nowMs: systemClock.nowMs,
    warn: () => {},
  });
  // A third of the lease passes within a run that is slow: it is renewed.
  station = await openStation({ FABRIC_SYNCD_LEASE_TTL: '1500ms' }, traces);
  patient = await station.byHand();
});

afterAll(async () => {
  await station.close();
  await traces?.stop();
  await receiver.stop();
});

/** The spans of a run once its root has come, which is the last of them. */
async function spansOf(run: string): Promise<readonly ReceivedSpan[]> {
  return receiver.until(({ spans }) => {
    const root = spans.find(({ name, attributes }) => name === 'fabric.run' && attributes['fabric.run.id'] === run);
    return root && spans.filter(({ traceId }) => traceId === root.traceId);
  });
}

/** What a span lies below, from near to far. */
function above(span: ReceivedSpan, those: readonly ReceivedSpan[]): readonly string[] {
  const parent = those.find(({ spanId }) => spanId === span.parentSpanId);
  return parent ? [parent.name, ...above(parent, those)] : [];
}

const below = (those: readonly ReceivedSpan[], name: RegExp) =>
  Object.fromEntries(those.filter((span) => name.test(span.name)).map((span) => [span.name, above(span, those)]));

test('a request lies below the state that made it, one a page, without the token of the next one', async () => {
  const run = await patient.sync();
  const those = await spansOf(run.id);
  const pages = those.filter(({ name }) => name.endsWith('/connections'));
  expect(pages.map(({ attributes }) => new URL(String(attributes['url.full'])).search)).toEqual([
    '?limit=5',
    '?limit=5&continue=REDACTED',
    '?limit=5&continue=REDACTED',
  ]);
  for (const page of pages) {
    expect(above(page, those)).toEqual(['fabric.state syncing', 'fabric.run']);
    expect(page.attributes).toMatchObject({ 'http.response.status_code': 200, 'server.address': '127.0.0.1' });
  }
});

test('commands and statements lie below the states that make them', async () => {
  const those = await spansOf((await patient.sync()).id);
  expect(below(those, /^EVALSHA/)).toEqual({
    'EVALSHA acquire-lock': ['fabric.state locked', 'fabric.run'],
    'EVALSHA release-lock': ['fabric.state syncing', 'fabric.run'],
    'EVALSHA arm-timers': ['fabric.state scheduled', 'fabric.run'],
  });
  expect(below(those, /^(UPDATE|INSERT)/)).toMatchObject({
    'UPDATE fabric_run INSERT fabric_run UPDATE fabric_cycle UPDATE fabric': ['fabric.state locked', 'fabric.run'],
  });
  const texts = those.map(({ attributes }) => String(attributes['db.query.text'] ?? ''));
  expect(texts.some((text) => text.includes('$1'))).toBe(true);
});

test('what goes wrong below a run is told by its code', async () => {
  const { cluster } = patient;
  const failures = async (run: string) =>
    (await spansOf(run))
      .filter(({ name, status }) => status.code === 'error' && name !== 'fabric.run')
      .map(({ name, attributes }) => `${name}: ${attributes['error.type']}`);
  await cluster.faults.set({ does: 'status', status: 403, where: { kind: 'VPC', on: 'list' } });
  const partial = await failures((await patient.sync()).id);
  expect(partial).toEqual(['GET /apis/vpc.githedgehog.com/v1beta1/namespaces/{namespace}/vpcs: 403']);
  await cluster.faults.clear();

  await cluster.faults.set({ does: 'status', status: 401, times: 1 });
  const resent = (await spansOf((await patient.sync()).id)).filter(
    ({ attributes }) => attributes['http.request.resend_count'] !== undefined,
  );
  expect(resent.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([1]);
  await cluster.faults.clear();
});

test('a script that Redis has forgotten, a renewal and a statement that was cut off are told', async () => {
  const redisUrl = inject('redisUrl');
  if (redisUrl !== null) {
    const client = await meddler(redisUrl);
    await client.script('FLUSH');
    client.disconnect();
  }
  // Long enough for renewals.
  await patient.cluster.faults.set({ does: 'slow', ms: 300 });
  const slow = await spansOf((await patient.sync()).id);
  await patient.cluster.faults.clear();
  expect(slow.map(({ name }) => name)).toContain('UPDATE fabric_cycle');
  if (redisUrl !== null)
    expect(slow.map(({ name }) => name)).toEqual(expect.arrayContaining(['ZADD', 'EVALSHA extend-lock']));

  const lock = await hold(
    station.sql,
    (tx) => tx`select from fabric_cycle where fabric_id = ${patient.id} for no key update`,
  );
  const asked = patient.sync();
  await lock.waitedFor();
  await station.sql`
    select pg_cancel_backend(pid) from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' and application_name like 'fabric-syncd%'`;
  await lock.letGo();
  await asked;
  await receiver.until(({ spans }) =>
    spans.find(({ attributes }) => attributes['db.response.status_code'] === '57014'),
  );
});

test('a plain command that Redis refuses is told by its kind', async () => {
  const redisUrl = inject('redisUrl');
  if (redisUrl === null) return;
  const client = await meddler(redisUrl);
  const key = `${patient.name} ${patient.id} no list`;
  await client.set(key, 'text');
  // Of keys that are spoilt the pump would hear before a run does, and give Redis up: what asks here is an act.
  const act = { act: 'trigger', by: 'ann', fabricId: patient.id, name: patient.name };
  await expect(traces?.tracing.acted(act, () => client.lpush(key, secret))).rejects.toThrow('WRONGTYPE');
  await client.del(key);
  client.disconnect();
  const refused = await receiver.until(({ spans }) => spans.find(({ name }) => name === 'LPUSH'));
  expect(refused.status.code).toBe('error');
  expect(refused.attributes).toMatchObject({ 'error.type': 'WRONGTYPE', 'db.response.status_code': 'WRONGTYPE' });
  expect(JSON.stringify(refused.attributes)).not.toContain(secret);
});

test('all of it is as the contract says, and nothing of the contract is missing', async () => {
  await traces?.stop();
  expect(receiver.faults).toEqual([]);
  expect(receiver.spans.flatMap(breaches)).toEqual([]);
  const provoked =
    inject('redisUrl') === null
      ? (['http', 'statement'] as const)
      : (['http', 'redis', 'script', 'statement'] as const);
  expect(untold(receiver.spans, provoked)).toEqual([]);
});

test('no secret is in any of it', async () => {
  const told = JSON.stringify(receiver.spans, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  const token = (await readFile(patient.tokenFile, 'utf8')).trim();
  const password = decodeURIComponent(new URL(inject('databaseUrl')).password);
  expect(token.length).toBeGreaterThan(10);
  for (const secret of [token, ...(password === '' ? [] : [password])]) expect(told.includes(secret)).toBe(false);
});

// What a running daemon exposes, held against its contract (`otel/names.ts`) in both directions, and what the
// dashboard and the alerts ask for, held against what it exposes.

import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { MetricContract } from '../../otel/contract.ts';
import { counted, distributed, observed, ofProcess, ofSdk } from '../../otel/names.ts';
import { type Family, readExposition, seriesValue } from '../support/exposition.ts';
import { type Bed, bedsOfThisFile, type Patient } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';
import { allExpressions, type Matcher, parsePromql } from '../support/promql.ts';
import { redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();

async function ask(
  where: { socketPath: string } | { host: string; port: number },
  path: string,
  method = 'GET',
): Promise<IncomingMessage> {
  const asked = request({ ...where, path, method, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

async function scrape({ socketPath }: Daemon): Promise<ReadonlyMap<string, Family>> {
  const response = await ask({ socketPath }, '/v1/metrics');
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  return readExposition(await text(response));
}

/** A collector that refuses the first log lines, and takes whatever comes then. */
async function collector(): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = [];
  const server = createServer((asked, response) => {
    const path = asked.url ?? '';
    const refuses = path === '/v1/logs' && !paths.includes(path);
    paths.push(path);
    asked.resume().on('end', () => response.writeHead(refuses ? 400 : 200).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, paths };
}

const described: readonly MetricContract[] = Object.values({
  ...counted,
  ...distributed,
  ...observed,
  ...ofProcess,
});

/** The specification's way from a name to Prometheus's. */
function prometheusName({ name, kind, unit }: MetricContract): string {
  const word = { s: 'seconds', By: 'bytes', '1': 'ratio' }[unit];
  const base = name.replaceAll('.', '_');
  const withUnit = word === undefined || base.endsWith(`_${word}`) ? base : `${base}_${word}`;
  return kind.endsWith('counter') ? `${withUnit}_total` : withUnit;
}

const label = (attribute: string) => attribute.replaceAll('.', '_');

/** One daemon that lived through every outcome: its bed, itself, and what it exposes then. */
async function eventful(): Promise<{
  bed: Bed;
  daemon: Daemon;
  paths: string[];
  exposed: ReadonlyMap<string, Family>;
}> {
  const { url, paths } = await collector();
  const bed = await openBed({ env: { FABRIC_SYNCD_RETRIES_MAX: '2', FABRIC_SYNCD_PROBE_MIN: '1s' } });
  const well = await bed.fabric('well');
  const partial = await bed.fabric('partial');
  const guarded = await bed.fabric('guarded');
  const sick = await bed.fabric('sick', { sync_interval: 2 });
  const overtaken = await bed.fabric('overtaken', { sync_interval: 3600 });
  const unheard = await bed.fabric('unheard', { sync_interval: 3600 });
  await partial.cluster.faults.set({ does: 'status', status: 403, where: { kind: 'Server', on: 'list' } });
  const daemon = await bed
    .daemon({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_BLRP_SCHEDULE_DELAY: '50',
      // Whoever renews would see beforehand that another run took over.
      FABRIC_SYNCD_LEASE_TTL: '60s',
    })
    .ready();
  await Promise.all([well, guarded, sick, overtaken, unheard].map((patient) => patient.synced()));
  await guarded.cluster.faults.set({ does: 'empty' });
  await sick.cluster.faults.set({ does: 'status', status: 503 });
  await sick.until(({ state }) => state === 'errored', 'errored');
  // Somebody stops a run in the middle.
  await well.cluster.faults.set({ does: 'hang', where: { on: 'list' }, times: 1 });
  await well.working();
  expect((await bed.cli('cancel', 'well')).code).toBe(0);
  await well.synced((await well.runs()).at(-1)?.id);
  await takeOver(bed, overtaken);
  await cancelUnwritten(bed, unheard);
  const exposed = await vi.waitFor(async () => {
    const now = await scrape(daemon);
    const ended = (outcome: string) =>
      seriesValue(now, 'fabric_syncd_run_duration_seconds_count', { fabric_run_outcome: outcome });
    for (const outcome of distributed.runDuration.attributes['fabric.run.outcome'] ?? []) {
      expect(ended(outcome), outcome).toBeGreaterThan(0);
    }
    expect(now.has('fabric_syncd_fabric_failed_attempts'), 'a fabric in trouble').toBe(true);
    expect(now.has('fabric_syncd_fabric_awaiting_approval'), 'a fabric that waits').toBe(true);
    const logs = now.get('otel_sdk_processor_log_processed_total')?.samples ?? [];
    expect(
      logs.some(({ labels, value }) => labels.error_type !== undefined && value > 0),
      'lines lost',
    ).toBe(true);
    expect(
      logs.some(({ labels, value }) => labels.error_type === undefined && value > 0),
      'lines sent',
    ).toBe(true);
    return now;
  }, eventually);
  return { bed, daemon, paths, exposed };
}

/** A run in the middle is fenced off by hand, and nobody is told: its commit comes too late. */
async function takeOver(bed: Bed, patient: Patient): Promise<void> {
  await patient.cluster.faults.set({ does: 'slow', ms: 3_000 });
  expect((await bed.cli('trigger', patient.name, '--no-wait')).code).toBe(0);
  const { id } = await patient.working();
  await bed.sql.begin(async (tx) => {
    await tx`
      update fabric_cycle
         set epoch = epoch + 1, state = 'scheduled', lease_holder = null, lease_until = null, run_id = null
       where run_id = ${id}::bigint`;
    await tx`update fabric_run set outcome = 'fenced', finished_at = now() where id = ${id}::bigint`;
  });
  await patient.cluster.faults.clear();
}

/** A run is stopped, and Postgres does not take how it ended. */
async function cancelUnwritten(bed: Bed, patient: Patient): Promise<void> {
  await bed.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
    create trigger refuse before update on fabric_run for each row
      when (new.outcome = 'cancelled' and new.fabric_id = ${patient.id}) execute function refuse();`);
  await patient.cluster.faults.set({ does: 'hang', where: { on: 'list' }, times: 1 });
  expect((await bed.cli('trigger', patient.name, '--no-wait')).code).toBe(0);
  await patient.working();
  const said = { what: 'cancel', fabric: patient.id, by: 'nobody' };
  await bed.sql`select pg_notify('fabric_syncd', ${JSON.stringify(said)})`;
}

describe('a daemon that lived through every outcome', () => {
  test('exposes what the contract lists, with those labels, and nothing else; the dashboard and the alerts ask for it', async () => {
    const { exposed, paths } = await eventful();

    const names = new Set(described.map(prometheusName));
    const ofTheSdk = new Set(Object.keys(ofSdk).map(label));
    const told = [...exposed.keys()].filter(
      (name) => name !== 'target_info' && !ofTheSdk.has(name.replace(/_total$/, '')),
    );
    expect(told.toSorted()).toEqual([...names].toSorted());
    for (const name of ofTheSdk) expect(exposed.has(name) || exposed.has(`${name}_total`), name).toBe(true);
    expect(paths).toEqual(expect.arrayContaining(['/v1/logs', '/v1/traces']));

    for (const one of described) {
      const { attributes } = one;
      const wanted = Object.keys(attributes).map(label).toSorted();
      for (const sample of exposed.get(prometheusName(one))?.samples ?? []) {
        const { le: _, ...labels } = sample.labels;
        expect(Object.keys(labels).toSorted(), one.name).toEqual(wanted);
        for (const [attribute, values = []] of Object.entries(attributes)) {
          if (values.length > 0) expect(values, `${attribute} of ${one.name}`).toContain(labels[label(attribute)]);
        }
      }
    }

    for (const { where, text } of allExpressions()) expect(unknownIn(text, exposed), where).toEqual([]);
    // A checker that finds nothing wrong in anything would be none.
    expect(unknownIn('sum by (nobody) (fabric_syncd_nothing)', exposed)).toHaveLength(2);
    expect(unknownIn('fabric_syncd_fabrics{fabric_state="asleep"}', exposed)).toHaveLength(1);
  });

  test('has counted what its rows say', async () => {
    const { bed, daemon } = await eventful();
    const rows = await bed.sql<{ outcome: string; trigger: string; runs: number }[]>`
      select outcome, trigger, count(*)::int as runs from fabric_run where outcome is not null group by 1, 2`;
    // A run is in its row a moment before it is counted.
    const now = await vi.waitFor(async () => {
      const told = await scrape(daemon);
      for (const [by, name] of [
        ['trigger', 'fabric_syncd_run_starts_total'],
        ['outcome', 'fabric_syncd_run_duration_seconds_count'],
      ] as const) {
        for (const [value, of] of Map.groupBy(rows, (row) => row[by])) {
          const runs = of.reduce((sum, row) => sum + row.runs, 0);
          expect(seriesValue(told, name, { [`fabric_run_${by}`]: value }), value).toBeGreaterThanOrEqual(runs);
        }
      }
      return told;
    }, eventually);
    const value = (name: string, labels: Record<string, string> = {}) => seriesValue(now, name, labels);
    expect(value('fabric_syncd_run_failures_total', { error_type: 'SERVER_ERROR' })).toBeGreaterThanOrEqual(3);
    expect(value('fabric_syncd_run_failures_total', { error_type: 'CANCELLED' })).toBe(2);
    expect(value('fabric_syncd_run_starts_total', { fabric_run_trigger: 'retry' })).toBeGreaterThanOrEqual(2);
    expect(value('fabric_syncd_object_changes_total', { fabric_object_change: 'created' })).toBe(6 * 38 - 6);
    expect(value('fabric_syncd_object_changes_total', { fabric_object_change: 'deleted' })).toBe(0);
    expect(value('fabric_syncd_fabric_awaiting_approval', { fabric_name: 'guarded' })).toBe(1);
    const interval = value('fabric_syncd_fabric_interval_seconds', { fabric_name: 'sick' });
    expect(interval).toBe(2);
    expect(value('fabric_syncd_fabric_last_success_age_seconds', { fabric_name: 'sick' })).toBeGreaterThan(0);
    // A fabric that is gone is gone from the metrics.
    await bed.sql`delete from fabric where name = 'sick'`;
    await vi.waitFor(async () => {
      const text = JSON.stringify([...(await scrape(daemon)).values()]);
      expect(text).not.toContain('"sick"');
      expect(text).toContain('"guarded"');
    }, eventually);
  });
});

describe('a server that is away', () => {
  const redis = { db_system_name: 'redis' };
  const tells = (daemon: Daemon, up: 0 | 1) =>
    vi.waitFor(async () => {
      const now = await scrape(daemon);
      expect(seriesValue(now, 'fabric_syncd_server_available', redis)).toBe(up);
      expect(seriesValue(now, 'fabric_syncd_server_available', { db_system_name: 'postgresql' })).toBe(1);
    }, eventually);

  test.skipIf(redisFound === null)('is told until it is back', async () => {
    const bed = await openBed({ redis: 'own' });
    const daemon = await bed.daemon().ready();
    await tells(daemon, 1);
    await bed.redis.kill();
    await tells(daemon, 0);
    await bed.redis.start();
    await tells(daemon, 1);
  });

  test('is not told of a Redis that is not used by choice', async () => {
    const bed = await openBed({ redis: 'none' });
    const now = await scrape(await bed.daemon().ready());
    const servers = now.get('fabric_syncd_server_available')?.samples ?? [];
    expect(servers.map(({ labels }) => labels.db_system_name)).toEqual(['postgresql']);
  });
});

/** What an expression asks for that is not exposed. `job` and `instance` are Prometheus's own. */
function unknownIn(expression: string, exposed: ReadonlyMap<string, Family>): string[] {
  const { errors, selectors, grouping } = parsePromql(expression);
  const series = [...exposed.values()].flatMap(({ samples }) => samples);
  const scraped = new Set(['job', 'instance']);
  const known = new Set(scraped);
  const unknown = [...errors];
  for (const { metric, matchers } of selectors) {
    if (metric === 'up') continue;
    const wanted = metric ?? matchers.find((one) => one.label === '__name__')?.value ?? '';
    const pattern = metric === null ? new RegExp(`^(?:${wanted})$`) : null;
    const found = series.filter(({ name }) => (pattern ? pattern.test(name) : name === wanted));
    if (found.length === 0) unknown.push(`no metric ${wanted}`);
    const labels = new Set(found.flatMap((sample) => Object.keys(sample.labels)));
    for (const one of labels) known.add(one);
    for (const matcher of matchers) {
      if (scraped.has(matcher.label) || matcher.label === '__name__') continue;
      if (!labels.has(matcher.label)) unknown.push(`${wanted} has no label ${matcher.label}`);
      else if (!someFits(matcher, found))
        unknown.push(`${wanted}: ${matcher.label}${matcher.operator}"${matcher.value}" fits nothing`);
    }
  }
  for (const name of grouping) if (!known.has(name)) unknown.push(`nothing has the label ${name}`);
  return unknown;
}

function someFits({ label, operator, value }: Matcher, found: Family['samples']): boolean {
  const seen = found.map((sample) => sample.labels[label] ?? '');
  // Grafana puts in what was chosen.
  if (value.startsWith('$')) return true;
  switch (operator) {
    case '=':
      return seen.includes(value) || listed(label, value);
    case '=~':
      return value.split('|').every((one) => seen.includes(one) || listed(label, one));
    default:
      return true;
  }
}

/** A value that the contract lists, though no series has it at this moment. */
function listed(name: string, value: string): boolean {
  return described.some(({ attributes }) =>
    Object.entries(attributes).some(([attribute, values = []]) => label(attribute) === name && values.includes(value)),
  );
}

describe('the metrics on a TCP address', () => {
  async function listening(): Promise<{ host: string; port: number }> {
    const bed = await openBed();
    const daemon = await bed.daemon({ FABRIC_SYNCD_METRICS_LISTEN: '127.0.0.1:0' }).ready();
    const { url } = await daemon.says(/^metrics for Prometheus/);
    const { hostname, port } = new URL(String(url));
    return { host: hostname, port: Number(port) };
  }

  test('are the same as on the socket, and nothing else is to be had there', async () => {
    const where = await listening();
    const got = await ask(where, '/metrics');
    expect(got.statusCode).toBe(200);
    expect(readExposition(await text(got)).has('fabric_syncd_fabrics')).toBe(true);
    const head = await ask(where, '/metrics', 'HEAD');
    expect([head.statusCode, Number(head.headers['content-length']) > 1_000, await text(head)]).toEqual([
      200,
      true,
      '',
    ]);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const refused = await ask(where, '/metrics', method);
      expect([refused.statusCode, refused.headers.allow], method).toEqual([405, 'GET, HEAD']);
      await text(refused);
    }
    for (const path of ['/', '/v1/health', '/v1/fleet', '/v1/events', '/v1/log-level', '/metrics/x', '//', '/%']) {
      const refused = await ask(where, path);
      expect(refused.statusCode, path).toBe(404);
      expect(await text(refused)).not.toContain('fabric');
    }
  });

  test('a client that talks no HTTP, or too much of it, is refused, and the next one is answered', async () => {
    const where = await listening();
    const babbler = connect(where);
    babbler.end(`GET /metrics HTTP/1.1\r\nx: ${'y'.repeat(32 * 1024)}\r\n\r\n`);
    expect(await text(babbler)).toMatch(/^HTTP\/1\.1 431/);
    expect((await ask(where, '/metrics')).resume().statusCode).toBe(200);
  });

  test('an address that is taken ends the start with words', async () => {
    const { url } = await collector();
    const bed = await openBed();
    const daemon = bed.daemon({ FABRIC_SYNCD_METRICS_LISTEN: new URL(url).host });
    expect(await daemon.ended()).not.toBe(0);
    expect(daemon.output).toContain('FABRIC_SYNCD_METRICS_LISTEN');
    expect(daemon.output).toContain('EADDRINUSE');
  });
});

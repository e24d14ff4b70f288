// Many fabrics due at once, and a collector that does not answer meanwhile: what waits is not lost, and what is lost is counted.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { readExposition, seriesValue } from '../support/exposition.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { type Bed, bedsOfThisFile } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';
import { compareTransitions, toldTransitions } from '../support/told-transitions.ts';

const openBed = bedsOfThisFile();
const fabrics = 80;

/** A daemon whose every fabric has synced once, while its collector hung with the first batch in hand. */
async function burst(env: Record<string, string> = {}): Promise<{ bed: Bed; daemon: Daemon; receiver: OtlpReceiver }> {
  const receiver = await new OtlpReceiver().start();
  receiver.behave({ kind: 'hang' });
  const bed = await openBed({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      // Longer than the burst takes on any machine: it is the queue that is looked at, not the patience.
      OTEL_EXPORTER_OTLP_TIMEOUT: '100000',
      OTEL_BSP_EXPORT_TIMEOUT: '100000',
      ...env,
    },
  });
  bed.onClose(() => receiver.stop());
  await many(bed);
  const daemon = await bed.daemon().ready();
  await vi.waitFor(
    async () => {
      const [row] = await bed.sql<[{ count: number }]>`
        select count(*)::int from fabric join fabric_cycle on fabric_id = fabric.id
         where sync_status = 'in_sync' and state = 'scheduled' and lease_holder is null`;
      expect(row.count).toBe(fabrics);
    },
    { timeout: 90_000, interval: 200 },
  );
  expect(receiver.spans, 'nothing was taken').toEqual([]);
  expect(receiver.hanging, 'the first batch').toBe(1);
  return { bed, daemon, receiver };
}

/** One simulated fabric under many names: each is a fabric of its own to the daemon. */
async function many(bed: Bed): Promise<void> {
  const { id } = await bed.fabric('burst', { sync_interval: 3600 });
  await bed.sql`
    insert into fabric (name, kubernetes_server, kubernetes_ca_cert, credential_ref, sync_interval, created)
    select name || '-' || n, kubernetes_server, kubernetes_ca_cert, credential_ref, sync_interval, created
      from fabric, generate_series(2, ${fabrics}::int) n where id = ${id}::bigint`;
}

/** What became of the spans, as the daemon counts it. */
async function counts({ socketPath }: Daemon) {
  const asked = request({ socketPath, path: '/v1/metrics', agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const exposed = readExposition(await text(response));
  const processed = exposed.get('otel_sdk_processor_span_processed_total')?.samples ?? [];
  const of = (error: string | undefined) => processed.find(({ labels }) => labels.error_type === error)?.value ?? 0;
  return {
    exported: of(undefined),
    failed: of('export_failed'),
    dropped: of('queue_full'),
    queued: seriesValue(exposed, 'otel_sdk_processor_span_queue_size', {}) ?? 0,
  };
}

test('a burst beyond what the SDK would hold waits for the collector, and every span of it arrives', async () => {
  const { bed, daemon, receiver } = await burst();
  const waiting = await counts(daemon);
  expect(waiting).toMatchObject({ exported: 0, failed: 0, dropped: 0 });
  expect(waiting.queued, 'more than the SDK would hold').toBeGreaterThan(2_048);
  receiver.behave({ kind: 'accept' });
  receiver.letGo();
  expect(await daemon.stop()).toBe(0);

  expect(compareTransitions(toldTransitions(daemon.log), receiver.spans).faults).toEqual([]);
  const claimed = receiver.spans.flatMap(({ name, attributes }) =>
    name === 'fabric.run' && 'fabric.run.id' in attributes ? [String(attributes['fabric.run.id'])] : [],
  );
  const rows = await bed.sql<{ id: string }[]>`select id::text from fabric_run`;
  expect(claimed.toSorted(), 'each run once').toEqual(rows.map(({ id }) => id).toSorted());
  expect(receiver.spans.length).toBeGreaterThanOrEqual(waiting.queued);
  expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size, 'none twice').toBe(receiver.spans.length);
});

test('where the queue is full, no run waits for it, and each span that is lost is counted', async () => {
  const { daemon, receiver } = await burst({ OTEL_BSP_MAX_QUEUE_SIZE: '600' });
  const full = await counts(daemon);
  expect(full).toMatchObject({ exported: 0, failed: 0, queued: 600 });
  expect(full.dropped).toBeGreaterThan(0);
  await daemon.says(/spans are dropped/);
  receiver.behave({ kind: 'accept' });
  receiver.letGo();
  const after = await vi.waitFor(async () => {
    const now = await counts(daemon);
    // The last batch has left the queue before it is delivered.
    expect(now).toMatchObject({ queued: 0, exported: receiver.spans.length });
    return now;
  }, eventually);
  expect(after.failed).toBe(0);
  expect(await daemon.stop()).toBe(0);
  // Those that were told and did not arrive are among those that were counted.
  const arrived = receiver.spans.filter(({ name }) => name.startsWith('fabric.transition ')).length;
  const missing = toldTransitions(daemon.log).length - arrived;
  expect(missing).toBeGreaterThan(0);
  expect(missing).toBeLessThanOrEqual(after.dropped);
});

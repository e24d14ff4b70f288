// What the span of a COPY says, against a real server.

import { once } from 'node:events';
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { afterAll, expect, inject, test } from 'vitest';
import { startTracing } from '../../../otel/trace-start.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import type { Transaction } from '../../../src/postgres/transaction.ts';

const ended: ReadableSpan[] = [];
const tracing = startTracing({
  env: {},
  resource: resourceFromAttributes({ 'service.name': 'tried' }),
  version: '0',
  also: [{ onStart() {}, onEnd: (span) => ended.push(span), async forceFlush() {}, async shutdown() {} }],
  shutdownMs: 1_000,
  warn: () => {},
});
const database = openDatabase({ url: inject('databaseUrl'), connectionsMax: 1, writersMax: 1 });

afterAll(async () => {
  await database.close();
  await tracing.stop();
});

const copies = () => ended.filter(({ name }) => name === 'COPY numbers');

/** A COPY into a table of numbers, below a span. */
function copying(work: (copy: Awaited<ReturnType<Transaction['copyInto']>>) => Promise<void>): Promise<void> {
  const root = tracing.tracer.startSpan('a test', { root: true });
  return database
    .transact(
      'copy',
      async (tx) => {
        await tx.run((sql) => sql`create temporary table numbers (n int) on commit drop`);
        const open = () => tx.copyInto((sql) => sql`copy pg_temp.numbers from stdin`);
        await work(await context.with(trace.setSpan(ROOT_CONTEXT, root), open));
      },
      { deadlineMs: 10_000 },
    )
    .finally(() => root.end());
}

test('it lasts until the server has taken the last row', async () => {
  await copying(async ({ stream }) => {
    stream.write('1\n');
    expect(copies()).toEqual([]);
    stream.end('2\n');
    await once(stream, 'finish');
  });
  expect(copies().map(({ status }) => status.code)).toEqual([SpanStatusCode.UNSET]);
});

test('rows that the server refuses are an error of it', async () => {
  ended.length = 0;
  const refused = copying(async ({ stream, failed }) => {
    stream.on('error', () => {});
    stream.end('no number\n');
    await failed;
  });
  await expect(refused).rejects.toMatchObject({ code: 'DATABASE_REFUSED' });
  expect(copies().map(({ status, attributes }) => [status.code, attributes['db.response.status_code']])).toEqual([
    [SpanStatusCode.ERROR, '22P02'],
  ]);
});

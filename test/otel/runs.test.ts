// A run as a trace, with a whole daemon over memory.

import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { readTraceparent } from '../../otel/traceparent.ts';
import { pass, until } from '../support/memory-daemon.ts';
import { tracedDaemon, treeOf } from '../support/traced-daemon.ts';

const ready = async () => {
  const place = tracedDaemon();
  const row = place.database.add('7');
  await place.daemon.start();
  const rested = () => place.daemon.fleet.member('7')?.path.endsWith('.waiting') ?? false;
  const roots = async (name: string) =>
    (await place.spans()).filter((span) => span.name === name && span.parentSpanContext === undefined);
  return { ...place, row, rested, roots };
};

describe('a run', () => {
  test('is one trace: a span for each stay in a state, one for each transition, each where it belongs', async () => {
    const { clock, row, rested, roots, spans } = await ready();
    await pass(clock, 5_000);
    await until(() => row.status === 'in_sync' && rested());
    const [run, ...more] = await roots('fabric.run');
    expect(more).toEqual([]);
    expect(treeOf(await spans(), run?.spanContext().traceId ?? '')).toEqual([
      'fabric.run',
      '  fabric.transition locked.acquiring',
      '  fabric.state locked',
      '    fabric.transition locked.claiming',
      '  fabric.transition syncing.running',
      '  fabric.state syncing',
      '    fabric.merge',
      '  fabric.transition scheduled.arming',
      '  fabric.state scheduled',
      '    fabric.transition scheduled.waiting',
    ]);
    expect(run?.attributes).toMatchObject({
      'fabric.id': '7',
      'fabric.run.trigger': 'sync',
      'fabric.run.outcome': 'complete',
      'fabric.objects.created': 1,
    });
    expect(run?.status.code).toBe(SpanStatusCode.UNSET);
  });

  test('links to the run that armed its timer, and the row of it says its own trace', async () => {
    const { clock, database, row, rested, roots } = await ready();
    await pass(clock, 5_000);
    await until(() => row.status === 'in_sync' && rested());
    await pass(clock, 60_250);
    await until(() => database.runs.length === 2 && rested());
    const [first, second] = await roots('fabric.run');
    expect(second?.links.map(({ context, attributes }) => [context.spanId, attributes])).toEqual([
      [first?.spanContext().spanId, { 'fabric.link': 'armed_by' }],
    ]);
    expect(database.runs.map((run) => readTraceparent(run.traceparent)?.spanId)).toEqual([
      first?.spanContext().spanId,
      second?.spanContext().spanId,
    ]);
  });
});

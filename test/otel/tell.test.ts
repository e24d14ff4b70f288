// TA1 and TA2 of `otel/tell.ts`.

import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { describe, expect, test, vi } from 'vitest';
import { openSpan } from '../../otel/in-span.ts';
import { tell } from '../../otel/tell.ts';
import { tellTraces } from '../support/traced-daemon.ts';

/** One span below another, told of at its start, later, and after its end. */
async function told(env: Record<string, string>) {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const { sdk, spans } = tellTraces(env);
  const root = sdk.tracer.startSpan('root', { root: true });
  const span = context.with(trace.setSpan(ROOT_CONTEXT, root), () =>
    openSpan('redis', () => ({ 'db.system.name': 'redis', 'db.operation.name': 'ZADD', 'db.namespace': '0' })),
  );
  if (!span) throw new Error('no span was opened');
  tell(span, { 'server.address': 'redis.example', 'server.port': 6379 });
  span.end();
  tell(span, { 'error.type': 'too late' });
  const [one] = await spans();
  vi.unstubAllEnvs();
  return one?.attributes;
}

describe('what a span is told', () => {
  test('is on it, and nothing once it has ended', async () => {
    expect(await told({})).toEqual({
      'db.system.name': 'redis',
      'db.operation.name': 'ZADD',
      'db.namespace': '0',
      'server.address': 'redis.example',
      'server.port': 6379,
    });
  });

  test('is cut where its length is limited', async () => {
    expect(await told({ OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '4' })).toEqual({
      'db.system.name': 'redi',
      'db.operation.name': 'ZADD',
      'db.namespace': '0',
      'server.address': 'redi',
      'server.port': 6379,
    });
  });

  test('is counted where its number is limited', async () => {
    expect(Object.keys((await told({ OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '2' })) ?? {})).toEqual([
      'db.system.name',
      'db.operation.name',
    ]);
  });
});

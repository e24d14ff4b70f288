import { expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { FabricDocument } from '../../src/inspector/documents.ts';
import { openStand } from './stand.ts';

test('what Postgres did not tell of a fabric is never called empty', async () => {
  const { base, world } = await openStand();
  const ask = async () => (await (await fetch(`${base}/api/fabrics/lab`)).json()) as FabricDocument;
  expect(await ask()).toMatchObject({ runs: [], parts: { postgres: { state: 'ok' } } });
  // Back for the look at the fleet, and not for this question.
  world.refusesDetails = new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres did not answer');
  expect(await ask()).toMatchObject({
    runs: [],
    parts: { postgres: { state: 'missing', problem: 'Postgres did not answer' } },
  });
});

test('a defect is told as one, and not as an outage', async () => {
  const { base, world, log } = await openStand();
  world.refusesDetails = new TypeError('a defect');
  expect((await fetch(`${base}/api/fabrics/lab`)).status).toBe(500);
  expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
});

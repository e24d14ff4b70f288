import { expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { FleetMember } from '../../src/fleet/fleet.ts';
import type { FabricDocument } from '../../src/inspector/documents.ts';
import { nowMs } from './sample.ts';
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

test('where a fabric is, is told as of the answer, and not as of the question', async () => {
  const at = (path: string) =>
    ({ fabricId: '1', name: 'lab', path, since: nowMs, context: { attempts: 0 } }) as unknown as FleetMember;
  let actor = at('syncing.running');
  const fleet = { members: () => [actor], member: () => actor, waits: () => false };
  const { base, world } = await openStand({ fleet });
  // It moves on while Postgres is asked for its runs.
  Object.defineProperty(world, 'refusesDetails', {
    get() {
      actor = at('scheduled.waiting');
      return null;
    },
  });
  const { fabric } = (await (await fetch(`${base}/api/fabrics/lab`)).json()) as FabricDocument;
  expect(fabric.path).toBe('scheduled.waiting');
});

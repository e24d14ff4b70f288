import { expect, onTestFinished, test, vi } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { answerMsMax } from '../../src/cli/inspect/feed.ts';
import type { FleetMember } from '../../src/fleet/fleet.ts';
import type { FabricDocument } from '../../src/inspector/documents.ts';
import { documentMs } from '../../src/inspector/patience.ts';
import { handClock } from '../support/hand-clock.ts';
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

test('a Postgres that hangs keeps nobody waiting for longer than clients wait: what is known is told, and what is missing', async () => {
  const clock = handClock(nowMs);
  const { base, world } = await openStand({ clock });
  world.detailsAfter = new Promise(() => {});
  const answer = fetch(`${base}/api/fabrics/lab`);
  await vi.waitFor(() => expect(world.askedDetails).toBe(1));
  clock.advance(documentMs);
  expect(await (await answer).json()).toMatchObject({
    fabric: { name: 'lab', state: 'scheduled' },
    runs: [],
    settings: null,
    parts: { postgres: { state: 'missing', problem: expect.stringContaining('Postgres did not') } },
  });
  expect(documentMs).toBeLessThan(answerMsMax);
});

test('who has just not answered is not asked again for each fabric', async () => {
  const { base, live, world } = await openStand();
  const { release } = live.watch();
  onTestFinished(release);
  const ask = async () => (await (await fetch(`${base}/api/fabrics/lab`)).json()) as FabricDocument;
  await ask();
  world.refuses = new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres did not answer');
  live.markAll();
  await vi.waitFor(() => expect(live.parts().postgres.state).toBe('missing'));
  const { askedDetails } = world;
  expect(await ask()).toMatchObject({ fabric: { name: 'lab' }, runs: [], parts: { postgres: { state: 'missing' } } });
  expect(world.askedDetails).toBe(askedDetails);
});

test('without Postgres nobody is told that a fabric is not there', async () => {
  const { base } = await openStand({ rows: [] });
  expect((await fetch(`${base}/api/fabrics/lab`)).status).toBe(404);
  expect((await fetch(`${base}/api/events?fabric=lab`)).status).toBe(404);
  const away = await openStand({ rows: [] });
  away.world.refuses = new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres did not answer');
  for (const path of ['fabrics/lab', 'events?fabric=lab']) {
    const response = await fetch(`${away.base}/api/${path}`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      error: { code: 'DATABASE_UNAVAILABLE', hint: expect.stringContaining('"lab"') },
    });
  }
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

// An act of which Postgres does not say what came of it: whoever asked for it is told that, and so is the log.

import { expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { loggedIn, ours, post } from './attacker.ts';
import { raw } from './stand.ts';

async function pause(refuses: Error) {
  const { port, host, login, world, log } = await loggedIn();
  world.refusesActs = refuses;
  const body = JSON.stringify({ reason: 'an upgrade' });
  const answer = await raw(port, post('/api/fabrics/lab/pause', { ...ours(host), ...login }, body));
  return { status: answer.status, ...(JSON.parse(answer.body) as object), warned: log.lines.at(-1)?.line };
}

test('may still happen where it was not answered in time, or the connection broke', async () => {
  for (const facts of [{ deadlineMs: 3_000 }, { error: 'CONNECTION_CLOSED' }]) {
    const failure = new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres did not pause a fabric within 3 s', { facts });
    expect(await pause(failure)).toEqual({
      status: 503,
      error: {
        code: 'DATABASE_UNAVAILABLE',
        message: 'Postgres did not pause a fabric within 3 s',
        hint: 'It may still happen: look at the fabric before you ask again.',
      },
      warned: expect.stringContaining('was not answered, and may still happen'),
    });
  }
});

test('did not happen where Postgres said so', async () => {
  const facts = { sqlstate: '57014' };
  const failure = new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres did not pause a fabric: too slow', { facts });
  expect(await pause(failure)).toMatchObject({ status: 503, warned: expect.stringContaining('was not done') });
});

// Settings at their edges, and how soon they count.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually, openStation, type Station } from './station.ts';
import { expectUndisturbed, newestRun } from './storm.ts';

let station: Station;
beforeAll(async () => {
  // Nothing here may need the sweep or a probe to be noticed.
  station = await openStation({
    FABRIC_SYNCD_SWEEP_INTERVAL: '10m',
    FABRIC_SYNCD_PROBE_MIN: '10m',
    FABRIC_SYNCD_RETRIES_MAX: '0',
  });
});
afterAll(() => station.close());

const tenYearsS = 315_360_000;

describe.concurrent('an interval', () => {
  test('of 0 means by hand only, at once and until it is set again', async () => {
    const patient = await station.patient();
    await patient.set('--interval', '0');
    await vi.waitFor(
      async () =>
        expect(await patient.seen()).toMatchObject({
          state: 'idle',
          reason: 'interval_zero',
          sync_status: 'in_sync',
          due_at: null,
          timer: { state: inRedis('none') },
        }),
      eventually,
    );
    await station.check();
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', trigger: 'manual' });
    expect(await patient.seen()).toMatchObject({ state: 'idle', due_at: null });
    await patient.set('--interval', '1s');
    await patient.wellAgain();
    await station.check();
    await patient.remove();
  });

  test.each([
    ['-1', 2],
    ['0.5s', 2],
    ['3651d', 2],
  ])('of %s is refused, and nothing is changed', async (interval, code) => {
    const patient = await station.patient(['--interval', '1h']);
    const answer = await station.verb('fabric', 'set', patient.name, `--interval=${interval}`, '--json');
    expect(answer.code).toBe(code);
    expect(answer.json()).toMatchObject({ error: { message: expect.stringContaining('--interval') } });
    expect(await patient.seen()).toMatchObject({ interval_s: 3_600 });
    await patient.remove();
  });

  test.each([-1, tenYearsS + 1])('of %i is refused by the table too', async (seconds) => {
    const { id } = station.neighbour;
    await expect(station.sql`update fabric set sync_interval = ${seconds} where id = ${id}`).rejects.toThrow(
      /fabric_sync_interval_check/,
    );
  });

  test('of ten years is kept to, and nobody is woken too soon', async () => {
    const patient = await station.patient(['--interval', '3650d']);
    const since = await newestRun(station);
    const seen = await patient.seen();
    expect(seen).toMatchObject({ state: 'scheduled', interval_s: tenYearsS, timer: { state: inRedis('armed') } });
    await expectUndisturbed(station, since);
    await patient.set('--interval', '3649d');
    await vi.waitFor(async () => {
      const { due_at, last_sync, timer } = await patient.seen();
      expect(Date.parse(due_at ?? '') - Date.parse(last_sync ?? '')).toBe((tenYearsS - 86_400) * 1_000);
      expect(timer).toMatchObject({ state: inRedis('armed') });
    }, eventually);
    await station.check();
    await patient.set('--interval', '1s');
    await patient.wellAgain();
    await station.check();
    await patient.remove();
  });
});

describe.concurrent('a person who mends what was wrong', () => {
  test('does not wait for a probe: the fabric is tried at once', async () => {
    const patient = await station.patient();
    await station.sql`update fabric set kubernetes_server = 'https://127.0.0.1:1' where id = ${patient.id}`;
    const ill = await patient.inTrouble('UNREACHABLE');
    expect(ill).toMatchObject({ state: 'errored', due_kind: 'probe' });
    await patient.set('--server', patient.cluster.url, '--no-test');
    const { runs } = await patient.wellAgain();
    const first = runs.findLast(({ id }) => Number(id) > Number(ill.last_run?.id));
    expect(first).toMatchObject({ trigger: 'probe', outcome: 'complete' });
    await station.check();
    await patient.remove();
  });
});

/** What the timer is, where there is a Redis to look at. */
function inRedis(state: 'armed' | 'none'): unknown {
  return expect.toSatisfy((found: string) => found === state || found === 'unknown');
}

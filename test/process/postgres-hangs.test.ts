// Postgres stands still, or the network swallows what is said to it, while the daemon is told to stop: it ends all the same,
// long before systemd would kill it.

import { expect, test, vi } from 'vitest';
import { startFrozenProxy } from '../support/frozen-proxy.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually, type LogLine } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();

/** A daemon with a run in hand and a sweep that has asked Postgres, neither of which is answered any more. */
async function hung(more: Readonly<Record<string, string>>) {
  const bed = await openBed();
  const url = new URL(bed.databaseUrl);
  const folder = url.searchParams.get('host');
  const proxy = await startFrozenProxy(
    folder === null
      ? { port: Number(url.port) }
      : { path: `${folder}/.s.PGSQL.${url.searchParams.get('port') ?? 5432}` },
  );
  bed.onClose(() => proxy.close());
  const login = url.username === '' ? 'postgres' : `${url.username}:${url.password}`;
  const patient = await bed.fabric('lab');
  const daemon = await bed
    .daemon({ DATABASE_URL: `postgres://${login}@127.0.0.1:${proxy.port}${url.pathname}`, ...more })
    .ready();
  await patient.synced();
  await patient.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' }, times: 1 });
  await vi.waitFor(async () => {
    await patient.working();
    expect(patient.cluster.faults.list(), 'it has struck').toEqual([]);
  }, eventually);
  proxy.freeze();
  // A look at every fabric, now.
  daemon.signal('SIGHUP');
  return daemon;
}

/** Between two lines of its log, milliseconds. */
const between = (one: LogLine, other: LogLine) => Date.parse(String(other.time)) - Date.parse(String(one.time));

test('SIGTERM: grace, abort, and then nobody waits for it any more', async () => {
  const daemon = await hung({ FABRIC_SYNCD_GRACE_PERIOD: '500ms' });
  daemon.signal('SIGTERM');
  const asked = await daemon.says(/SIGTERM: stopping/);
  expect(await daemon.ended()).toBe(0);
  const stopped = await daemon.says(/^stopped$/);
  expect(between(asked, stopped), 'no statement was waited for to its own deadline').toBeLessThan(25_000);
});

test('a second signal means now', async () => {
  const daemon = await hung({ FABRIC_SYNCD_GRACE_PERIOD: '1h' });
  daemon.signal('SIGTERM');
  await daemon.says(/may finish within/);
  daemon.signal('SIGTERM');
  const hurried = await daemon.says(/SIGTERM again: stopping now/);
  expect(await daemon.ended()).toBe(0);
  expect(between(hurried, await daemon.says(/^stopped$/))).toBeLessThan(25_000);
});

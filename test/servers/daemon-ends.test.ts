// A daemon in this process that does not come up, or does not end well: nothing of it is left, and the first error is told.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { startDaemon } from '../../src/daemon.ts';
import { systemDice } from '../../src/dice.ts';
import { NotListening } from '../../src/not-listening.ts';
import { openDatabase } from '../../src/postgres/connect.ts';
import { SystemdNotifier } from '../../src/systemd/notify.ts';
import { cloneDatabase } from '../support/postgres.ts';
import { unmeasured, untold } from '../support/untold.ts';

const hostname = 'ends';

async function ready(more: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-ends-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
  onTestFinished(() => clone.drop());
  const database = openDatabase({ url: clone.url, connectionsMax: 1 });
  onTestFinished(() => database.close());
  const socket = join(folder, 'admin.sock');
  const config = readConfig({
    DATABASE_URL: clone.url,
    REDIS_URL: inject('redisUrl') ?? 'none',
    FABRIC_SYNCD_REDIS_PREFIX: clone.name,
    FABRIC_SYNCD_ADMIN_SOCKET: socket,
    ...more,
  });
  const { levels } = untold();
  const warned: object[] = [];
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => warned.push(fields), child: () => log };
  const deps = { config, env: {}, log, clock: systemClock, dice: systemDice, hostname, pid: process.pid, version: '0' };
  const notifier = new SystemdNotifier({ env: {}, onTrouble: () => {} });
  const start = () =>
    startDaemon({ ...deps, notifier, levels, measuring: unmeasured(), traces: null }, AbortSignal.timeout(30_000));
  /** Nobody listens, and nobody is connected to Postgres under the name of this daemon. */
  const nothingIsLeft = async () => {
    expect(existsSync(socket)).toBe(false);
    await vi.waitFor(async () => {
      const open = await database.sql`
        select application_name, state from pg_stat_activity
         where datname = current_database() and application_name like ${`fabric-syncd ${hostname}/%`}`;
      expect(open).toEqual([]);
    });
  };
  return { levels, start, nothingIsLeft, warned };
}

test('a server that cannot listen ends the start: the others are closed, and that is what is told', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await vi.waitFor(() => expect(taken.address()).not.toBeNull());
  const { port } = taken.address() as { port: number };
  const { start, levels, warned, nothingIsLeft } = await ready({
    FABRIC_SYNCD_METRICS_LISTEN: `127.0.0.1:${port}`,
    FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0',
  });
  levels.stop = async () => {
    throw new Error('the level would not stop');
  };
  await expect(start()).rejects.toBeInstanceOf(NotListening);
  expect(warned).toMatchObject([{ err: { message: 'log level did not stop cleanly' } }]);
  await nothingIsLeft();
});

test('what stands on the others and cannot begin ends the start, with its own error', async () => {
  const { start, levels, nothingIsLeft } = await ready();
  const broken = new Error('the level would not begin');
  levels.start = () => Promise.reject(broken);
  await expect(start()).rejects.toBe(broken);
  await nothingIsLeft();
});

test('a part that does not stop cleanly keeps no other from being closed, and is told', async () => {
  const { start, levels, nothingIsLeft } = await ready({ FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0' });
  const daemon = await start();
  const broken = new Error('the level would not stop');
  levels.stop = () => Promise.reject(broken);
  await expect(daemon.stop(AbortSignal.abort())).rejects.toMatchObject({ cause: broken });
  await nothingIsLeft();
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SystemdNotifier } from '../../src/systemd/notify.ts';
import { type NotifyReceiver, noReceiver, startNotifyReceiver } from './notify-receiver.ts';

const { PATH } = process.env;
const neverInTrouble = (cause: unknown) => {
  throw cause;
};

describe.skipIf(noReceiver !== null)(`what systemd hears${noReceiver ? ` (skipped: no ${noReceiver})` : ''}`, () => {
  let systemd: NotifyReceiver;
  let notifier: SystemdNotifier;

  beforeEach(async () => {
    systemd = await startNotifyReceiver();
    notifier = new SystemdNotifier({
      env: { NOTIFY_SOCKET: systemd.socket, PATH },
      onTrouble: neverInTrouble,
      monotonicUsec: () => 1_234_567n,
    });
    await notifier.start();
  });
  afterEach(async () => {
    await notifier.stop();
    await systemd.stop();
  });

  test('the whole life of a service, in the order in which it was told', async () => {
    notifier.status('waiting for PostgreSQL');
    notifier.ready('3 fabrics');
    notifier.alive();
    notifier.reloading('reading the settings');
    notifier.ready('4 fabrics');
    notifier.stopping('2 runs in hand');
    expect(await systemd.next()).toEqual(['STATUS=waiting for PostgreSQL']);
    expect(await systemd.next()).toEqual(['READY=1', 'STATUS=3 fabrics']);
    expect(await systemd.next()).toEqual(['WATCHDOG=1']);
    expect(await systemd.next()).toEqual(['RELOADING=1', 'MONOTONIC_USEC=1234567', 'STATUS=reading the settings']);
    expect(await systemd.next()).toEqual(['READY=1', 'STATUS=4 fabrics']);
    expect(await systemd.next()).toEqual(['STOPPING=1', 'STATUS=2 runs in hand']);
  });

  test('of many status texts in a row systemd hears the first, which is under way, and the last', async () => {
    for (let due = 0; due < 50; due++) notifier.status(`${due} due`);
    expect(await systemd.next()).toEqual(['STATUS=0 due']);
    expect(await systemd.next()).toEqual(['STATUS=49 due']);
  });

  test('a status that systemd has heard is not sent again', async () => {
    notifier.ready('3 fabrics');
    notifier.status('3 fabrics');
    notifier.status('4 fabrics');
    notifier.extend(70_000);
    notifier.status('4 fabrics');
    notifier.status('3 fabrics');
    expect(await systemd.next()).toEqual(['READY=1', 'STATUS=3 fabrics']);
    expect(await systemd.next()).toEqual(['STATUS=4 fabrics']);
    expect(await systemd.next()).toEqual(['EXTEND_TIMEOUT_USEC=70000000']);
    expect(await systemd.next()).toEqual(['STATUS=3 fabrics']);
  });

  test('a status of several lines is one, and cannot pass for another variable', async () => {
    notifier.status('fabric lab:\nMAINPID=1');
    expect(await systemd.next()).toEqual(['STATUS=fabric lab: MAINPID=1']);
  });

  test('a stop waits until everything was said, and says nothing afterwards', async () => {
    notifier.stopping('over');
    await notifier.stop();
    notifier.status('not heard');
    await notifier.stop();
    expect(await systemd.next()).toEqual(['STOPPING=1', 'STATUS=over']);
    await notifier.start();
    notifier.status('heard');
    expect(await systemd.next()).toEqual(['STATUS=heard']);
  });

  test('the time of a reload is that of the machine’s own clock', async () => {
    const own = new SystemdNotifier({ env: { NOTIFY_SOCKET: systemd.socket, PATH }, onTrouble: neverInTrouble });
    const before = process.hrtime.bigint() / 1_000n;
    own.reloading('now');
    const after = process.hrtime.bigint() / 1_000n;
    const stamp = BigInt((await systemd.next())[1]?.replace('MONOTONIC_USEC=', '') ?? 0);
    expect(stamp).toBeGreaterThanOrEqual(before);
    expect(stamp).toBeLessThanOrEqual(after);
    await own.stop();
  });
});

describe('without systemd', () => {
  test('without NOTIFY_SOCKET nothing is sent, and nobody waits', async () => {
    const notifier = new SystemdNotifier({ env: { PATH: '/nowhere' }, onTrouble: neverInTrouble });
    expect(notifier.listening).toBe(false);
    notifier.ready('here');
    notifier.alive();
    await notifier.stop();
  });

  test('where nobody listens on the socket, the first failure is reported and the work goes on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-notify-'));
    const causes: unknown[] = [];
    const env = { NOTIFY_SOCKET: join(folder, 'absent'), PATH };
    const notifier = new SystemdNotifier({ env, onTrouble: (cause) => causes.push(cause) });
    notifier.ready('here');
    notifier.alive();
    notifier.status('still here');
    await notifier.stop();
    expect(causes).toHaveLength(1);
    expect(causes[0]).toBeInstanceOf(Error);
    await rm(folder, { recursive: true });
  });

  test('where systemd-notify is absent, that is reported as well', async () => {
    const causes: unknown[] = [];
    const env = { NOTIFY_SOCKET: '/nowhere/notify', PATH: '/nowhere' };
    const notifier = new SystemdNotifier({ env, onTrouble: (cause) => causes.push(cause) });
    notifier.ready('here');
    await notifier.stop();
    expect(causes).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
  });
});

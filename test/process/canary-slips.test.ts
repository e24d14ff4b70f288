// Secrets that people put in the wrong place, and servers that say them back in part: they go no further. And the doors that
// Node itself would open stay shut.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { askForText } from '../../src/admin/client.ts';
import { Aviary, canary, dumpDatabase } from '../support/aviary.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { runFabricSyncd } from '../support/run-program.ts';

const openBed = bedsOfThisFile();
const neverAborted = new AbortController().signal;

test('an address that somebody wrote into the table with a password in it is shown without it, by every face', async () => {
  const bed = await openBed();
  const aviary = new Aviary();
  // With what divides a URL in it: readers differ over where such a password ends.
  const passwords = [canary(), `${canary()}/${canary()}`, `${canary()}?${canary()}#${canary()}@${canary()}`];
  for (const password of passwords) for (const part of password.split(/\W/)) aviary.add('a password', part);
  await bed.fabric('good');
  for (const [index, password] of passwords.entries()) {
    await bed.sql`
      insert into fabric (name, kubernetes_server, credential_ref, sync_interval)
      values (${`slip-${index}`}, ${`https://ann:${password}@192.0.2.1:6443`}, 'file:/nowhere', 1)`;
  }
  const daemon = await bed.daemon().ready();
  await vi.waitFor(async () => {
    const rows = await bed.sql`select from fabric where name like 'slip-%' and sync_status = 'error'`;
    expect(rows.count).toBe(passwords.length);
  }, eventually);
  const env = bed.env();
  const { FABRIC_SYNCD_ADMIN_SOCKET: socket } = env;
  for (const argv of [['fabric', 'list'], ['status'], ['doctor']]) {
    for (const more of [[], ['--json']]) {
      const { stdout, stderr } = await runFabricSyncd([...argv, ...more], { env });
      expect(stdout).toContain('slip-0');
      aviary.listen(argv.join(' '), stdout + stderr);
    }
  }
  for (const [index] of passwords.entries()) {
    const name = `slip-${index}`;
    for (const argv of [
      ['fabric', 'show'],
      ['status'],
      ['fabric', 'test'],
      ['trigger'],
      ['history'],
      ['fabric', 'set'],
    ]) {
      const more = argv[1] === 'set' ? ['--interval', '2s'] : [];
      for (const json of [[], ['--json']]) {
        const { stdout, stderr } = await runFabricSyncd([...argv, name, ...more, ...json], { env });
        aviary.listen([...argv, ...json].join(' '), stdout + stderr);
      }
    }
    aviary.listen('the API', (await askForText(socket, `/api/fabrics/${name}`, neverAborted)) ?? '');
  }
  aviary.listen('the API', (await askForText(socket, '/api/fleet', neverAborted)) ?? '');
  aviary.listen('the metrics', (await askForText(socket, '/metrics', neverAborted)) ?? '');
  aviary.listen('the log', daemon.output);
  const told =
    await bed.sql`select sync_error, connection_error, failure from fabric f join fabric_cycle c on c.fabric_id = f.id`;
  aviary.listen('the rows', JSON.stringify(told));
  expect(aviary.said.get('the log')).toBeGreaterThan(500);
  expect(aviary.heard()).toEqual([]);
});

test('a private key beside the certificate in a CA file is not stored', async () => {
  const bed = await openBed({ redis: 'none' });
  const lab = await bed.fabric('lab');
  const aviary = new Aviary();
  const key = `-----BEGIN PRIVATE KEY-----\n${canary()}${canary()}\n-----END PRIVATE KEY-----\n`;
  aviary.addPem('the key of a CA', key);
  const both = join(bed.folder, 'both.pem');
  await writeFile(both, `${key}${lab.cluster.caPem}${key}`);
  const kubeconfig = join(bed.folder, 'kubeconfig');
  const data = (pem: string) => `certificate-authority-data: ${Buffer.from(pem).toString('base64')}`;
  const whole = lab.cluster.kubeconfig().replace(/certificate-authority-data: .*/, data(`${lab.cluster.caPem}${key}`));
  await writeFile(kubeconfig, whole);
  const keyFile = join(bed.folder, 'key');
  await writeFile(keyFile, (await bed.cli('key', 'generate')).stdout, { mode: 0o600 });
  const env = { FABRIC_SYNCD_KEY_FILE: keyFile };
  const way = ['--server', lab.cluster.url, '--token-ref', `file:${lab.tokenFile}`, '--ca-file', both];
  expect((await bed.cliWith(env, 'fabric', 'add', 'one', ...way)).code).toBe(0);
  expect((await bed.cliWith(env, 'fabric', 'add', 'two', '--kubeconfig', kubeconfig)).code).toBe(0);
  const daemon = await bed.daemon(env).ready();
  await lab.synced();
  await vi.waitFor(async () => {
    expect((await bed.sql`select from fabric where sync_status = 'in_sync'`).count).toBe(3);
  }, eventually);
  aviary.listen('the database', await dumpDatabase(bed.sql));
  aviary.listen('the log', daemon.output);
  expect(aviary.heard()).toEqual([]);
});

test('a server that says back the beginning of a long password of Redis is not quoted', async () => {
  const aviary = new Aviary();
  const password = Array.from({ length: 8 }, canary).join('');
  aviary.add('the beginning of a password', password.slice(0, 40));
  // As Redis answers to a command that it does not know: 128 characters of what followed.
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write(`-ERR unknown command 'auth', with args beginning with: '${password.slice(0, 120)}' \r\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const bed = await openBed({
    redis: { url: `redis://:${password}@127.0.0.1:${(server.address() as AddressInfo).port}` },
  });
  await bed.fabric('lab');
  const daemon = await bed.daemon({ FABRIC_SYNCD_LOG_LEVEL: 'debug' }).ready();
  for (const argv of [['doctor'], ['doctor', '--json'], ['status'], ['status', '--json'], ['unlock', 'lab']]) {
    const { stdout, stderr } = await runFabricSyncd(argv, { env: bed.env() });
    aviary.listen(argv.join(' '), stdout + stderr);
  }
  await daemon.says(/going on without it/);
  expect(await daemon.stop()).toBe(0);
  aviary.listen('the log', daemon.output);
  expect(daemon.output).toContain('unknown command');
  expect(aviary.heard()).toEqual([]);
});

test('SIGUSR1, which other daemons take as a wish for new log files, opens no debugger to the users of this host', async () => {
  const bed = await openBed({ redis: 'none' });
  const lab = await bed.fabric('lab');
  const daemon = await bed.daemon().ready();
  daemon.signal('SIGUSR1');
  await lab.synced((await lab.synced()).id);
  expect(daemon.running).toBe(true);
  expect(daemon.output).not.toMatch(/Debugger listening|ws:\/\//);
  expect(await daemon.stop()).toBe(0);
});

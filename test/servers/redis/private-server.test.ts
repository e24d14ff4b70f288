import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startPrivateRedis } from '../../../src/demo/servers/redis.ts';
import { meddler, redisFound } from '../../support/redis.ts';

const pidFile = 'fabric-syncd-redis.pid';
const isAlive = (pid: number | null) => {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.skipIf(redisFound === null)('a private Redis', () => {
  const binary = redisFound?.binary ?? '';
  const undo: (() => unknown)[] = [];
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-private-'));
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    await rm(dir, { recursive: true, force: true });
  });

  const start = async (more: Partial<Parameters<typeof startPrivateRedis>[0]> = {}) => {
    const server = await startPrivateRedis({ dir, binary, ...more });
    undo.push(() => server.stop());
    return server;
  };

  test('finds the data of the one before it in the same folder, and leaves nothing but data behind (D1, D4)', async () => {
    const first = await start();
    const client = await meddler(first.url);
    await client.set('timer', 'armed');
    client.disconnect();
    const { pid } = first;
    await first.stop();
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    expect(first.pid).toBeNull();
    expect(await readdir(dir)).not.toContain(pidFile);
    const second = await meddler((await start()).url);
    expect(await second.get('timer')).toBe('armed');
    second.disconnect();
  });

  test('listens on loopback alone (D2)', async () => {
    const client = await meddler((await start()).url);
    const [, bind] = (await client.config('GET', 'bind')) as string[];
    expect(bind).toBe('127.0.0.1');
    client.disconnect();
  });

  test('lets nobody in without its password, and does not show it in the list of processes (D5)', async () => {
    const password = 'a-password-of-the-test';
    const server = await start({ password });
    const client = await meddler(server.url);
    await client.set('timer', 'armed');
    client.disconnect();
    const stranger = new Redis(server.port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    stranger.on('error', () => {});
    await expect(stranger.get('timer')).rejects.toThrow(/NOAUTH/);
    stranger.disconnect();
    const cmdline = await readFile(`/proc/${server.pid}/cmdline`, 'utf8').catch(() => 'no /proc here');
    expect(cmdline).not.toContain(password);
    await server.stop();
    await server.start();
    const again = await meddler(server.url);
    expect(await again.get('timer')).toBe('armed');
    again.disconnect();
  });

  test('ends the server that a killed run left in its folder (D3)', async () => {
    const left = await start();
    const client = await meddler(left.url);
    await client.set('timer', 'armed');
    client.disconnect();
    const { pid } = left;
    const next = await start();
    expect(isAlive(pid)).toBe(false);
    expect(next.pid).not.toBe(pid);
    const again = await meddler(next.url);
    expect(await again.get('timer')).toBe('armed');
    again.disconnect();
  });

  test('never signals a process that is not a Redis of its folder, whatever the pid file says (D3)', async () => {
    const stranger = spawn('sleep', ['600'], { cwd: dir });
    undo.push(() => stranger.kill('SIGKILL'));
    await once(stranger, 'spawn');
    await writeFile(join(dir, pidFile), `${stranger.pid}\n`);
    const elsewhere = await startPrivateRedis({ dir: join(dir, 'elsewhere'), binary });
    undo.push(() => elsewhere.stop());
    await start();
    expect(stranger.exitCode).toBeNull();
    await writeFile(join(dir, pidFile), `${elsewhere.pid}\n`);
    await startPrivateRedis({ dir, binary }).then((server) => server.stop());
    expect(isAlive(elsewhere.pid)).toBe(true);
  });

  test('one that hangs can be stopped as well', async () => {
    const server = await start();
    const { pid } = server;
    server.pause();
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test('where it does not come up the error has the server’s own word, and nothing is left', async () => {
    await expect(start({ args: ['--appendonly', 'perhaps'] })).rejects.toThrow(/yes.*no/);
    await expect(access(join(dir, pidFile))).rejects.toThrow();
    await expect(start({ binary: join(dir, 'no-such-server') })).rejects.toThrow('could not be started');
  });
});

import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AdminServer } from '../../src/admin/server.ts';
import { type Tiding, Tidings } from '../../src/admin/tidings.ts';
import { NotListening } from '../../src/not-listening.ts';
import { untold } from '../support/untold.ts';

let folder: string;
let socketPath: string;
let tidings: Tidings;
let server: AdminServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-admin-'));
  socketPath = join(folder, 'admin.sock');
  tidings = new Tidings();
  server = make();
  await server.start();
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const make = (path = socketPath) =>
  new AdminServer({
    ...untold(),
    socketPath: path,
    tidings,
    health: () => ({ ok: true }),
    fleet: () => ({ fabrics: [] }),
  });

async function ask(path: string, method = 'GET'): Promise<IncomingMessage> {
  const asked = request({ socketPath, path, method, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

const ran = (fabricId: string): Tiding => ({
  type: 'run',
  fabric: 'lab',
  fabric_id: fabricId,
  run: '1',
  outcome: 'complete',
  created: 0,
  updated: 0,
  deleted: 0,
  unsynced: 0,
});

describe('the admin socket', () => {
  test.each([
    ['/v1/health', 'GET', 200],
    ['/v1/fleet', 'GET', 200],
    ['/v1/nothing', 'GET', 404],
    ['/v1/health', 'POST', 405],
    // A path that is no URL at all must not end the daemon.
    ['//', 'GET', 400],
  ])('%s by %s is answered with %d, in JSON', async (path, method, status) => {
    const response = await ask(path, method);
    expect(response.statusCode).toBe(status);
    expect(JSON.parse(await text(response))).toEqual(expect.any(Object));
  });

  test('a request that is no HTTP is refused, and the next one is answered', async () => {
    const socket = connect(socketPath);
    socket.end('GARBAGE\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400/);
    expect((await ask('/v1/health')).resume().statusCode).toBe(200);
  });

  test('events come as they happen, of one fabric where that was asked for', async () => {
    const response = await ask('/v1/events?fabric=2');
    tidings.tell(() => ran('1'));
    tidings.tell(() => ran('2'));
    const [line] = (await once(response, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).toEqual(ran('2'));
    response.destroy();
  });

  test('a client that does not read is cut off before it fills our memory', async () => {
    const response = await ask('/v1/events');
    response.pause();
    // Told as an error first, and `once` would take that for its own.
    response.on('error', () => {});
    const closed = new Promise<void>((resolve) => response.on('close', resolve));
    const long = { ...ran('1'), fabric: 'x'.repeat(100_000) };
    for (let told = 0; told < 200; told++) tidings.tell(() => long);
    response.resume();
    await closed;
    expect(response.complete).toBe(false);
  });

  test('a second daemon is told that the socket is taken; one that a dead daemon left is not', async () => {
    await expect(make().start()).rejects.toThrow(NotListening);
    // Closing removes the path that was listened on; one that has moved meanwhile stays, and nobody listens on it.
    await rename(socketPath, `${socketPath}.moved`);
    await server.stop();
    await rename(`${socketPath}.moved`, socketPath);
    await server.start();
    expect((await ask('/v1/health')).resume().statusCode).toBe(200);
  });

  test('is for its user and group alone, whatever the umask, and so is a folder that is made for it', async () => {
    const before = process.umask(0);
    const inner = join(folder, 'made', 'admin.sock');
    const another = make(inner);
    try {
      await another.start();
      expect(process.umask(), 'the umask of the process').toBe(0);
    } finally {
      process.umask(before);
    }
    expect((await lstat(inner)).mode & 0o777).toBe(0o660);
    expect((await lstat(join(folder, 'made'))).mode & 0o777).toBe(0o750);
    await another.stop();
  });

  test.each<[string, (path: string) => Promise<unknown>]>([
    ['a file', (path) => writeFile(path, 'precious')],
    ['a folder', (path) => mkdir(path)],
    ['a link to a file', (path) => symlink(join(folder, 'precious'), path)],
    ['a link to nothing', (path) => symlink(join(folder, 'nothing'), path)],
    ['a link to the socket of another', (path) => symlink(socketPath, path)],
  ])('%s in its place is left as it is, and said', async (_what, place) => {
    const path = join(folder, 'in-the-way');
    await writeFile(join(folder, 'precious'), 'precious', { mode: 0o600 });
    await place(path);
    const [there, files] = [await lstat(path), await readdir(folder)];
    await expect(make(path).start()).rejects.toThrow(/no socket is there.*FABRIC_SYNCD_ADMIN_SOCKET/);
    expect(await readdir(folder)).toEqual(files);
    expect([(await lstat(path)).ino, (await lstat(path)).mode]).toEqual([there.ino, there.mode]);
    expect((await lstat(join(folder, 'precious'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('precious');
  });
});

// Servers that are no Kubernetes API at all, or a hostile one, behind the address of a fabric that was never synced.

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { type RawAnswer, raw, startRawApi } from '../../support/raw-api.ts';
import { openStation, type Patient, type Station } from './station.ts';
import { expectUndisturbed, newestRun } from './storm.ts';

let station: Station;
beforeAll(async () => {
  station = await openStation();
});
afterAll(() => station.close());

/** A fabric behind which somebody else answers. */
async function stranger(answer: RawAnswer, { onTestFinished }: TestContext): Promise<Patient> {
  const api = await startRawApi(answer);
  onTestFinished(() => api.stop());
  return station.enrol({ url: api.url, caPem: api.caPem, token: `canary-${api.port}` });
}

const status = (code: number, message: string, headers = {}) =>
  raw(code, JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }), headers);

/** After the first failed run: told, and as if there had been no run. */
async function expectNeverSynced(patient: Patient): Promise<void> {
  expect(await patient.kept()).toEqual({ lastSync: null, rows: [], changes: [] });
  expect(await patient.seen()).toMatchObject({ objects: 0, counts: {} });
  await station.check();
}

describe.concurrent('a stranger behind the address', () => {
  test('who repeats the token in what it says: nobody else hears it', async (context) => {
    const patient = await stranger(({ headers }, socket) => {
      socket.write(status(403, `you are ${headers.authorization}, and may not`));
    }, context);
    const run = await patient.sync();
    expect(run).toMatchObject({ outcome: 'failed', error_code: 'FORBIDDEN' });
    expect(run.error).toContain('you are Bearer •••, and may not');
    await expectNeverSynced(patient);
    const told = await Promise.all([
      station.verb('status', patient.name),
      station.verb('history', patient.name, '--json'),
      station.verb('fabric', 'show', patient.name, '--json'),
    ]);
    for (const { stdout, stderr } of told) expect(stdout + stderr).not.toMatch(/canary-\d/);
    await patient.remove();
  });

  test('who writes on terminals: its words are one line of plain text', async (context) => {
    const patient = await stranger((_, socket) => {
      socket.write(status(403, '\u001b[2J\u001b]0;owned\u0007no\r\nsync_status: in_sync\u2028really'));
    }, context);
    const run = await patient.sync();
    expect(run.error).toMatch(/no sync_status: in_sync really$/);
    expect(run.error).not.toMatch(/[\p{Cc}\u2028]/u);
    const { stdout } = await station.verb('status', patient.name);
    expect(stdout).not.toContain('\u001b');
    await expectNeverSynced(patient);
    await patient.remove();
  });

  test('who asks for ten years of patience: an hour it gets', async (context) => {
    const patient = await stranger((_, socket) => {
      socket.write(status(429, 'later', { 'retry-after': '315360000' }));
    }, context);
    const since = await newestRun(station);
    expect(await patient.sync()).toMatchObject({ outcome: 'failed', error_code: 'THROTTLED' });
    const seen = await patient.inTrouble('THROTTLED');
    expect(seen).toMatchObject({ state: 'backoff', attempts: 1 });
    expect(seen.due_in_ms).toBeGreaterThan(3_500_000);
    expect(seen.due_in_ms).toBeLessThan(3_602_000);
    await expectUndisturbed(station, since);
    await expectNeverSynced(patient);
    await patient.remove();
  });

  test('who speaks no TLS', async ({ onTestFinished }) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      // Read as well: a reset would overtake the greeting.
      socket.on('error', () => {}).resume();
      socket.end('SSH-2.0-OpenSSH_9.9\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    const { port } = server.address() as AddressInfo;
    const patient = await station.enrol({
      url: `https://127.0.0.1:${port}`,
      caPem: station.neighbour.cluster.caPem,
      token: 'canary-of-ssh',
    });
    expect(await patient.sync()).toMatchObject({ outcome: 'failed', error_code: 'TLS_FAILED' });
    const seen = await patient.inTrouble('TLS_FAILED');
    expect(seen).toMatchObject({
      connection_status: 'error',
      sync_error: expect.stringContaining(`127.0.0.1:${port}): the TLS handshake failed`),
      hint: expect.stringContaining('is this the port of a Kubernetes API?'),
    });
    await expectNeverSynced(patient);
    await patient.remove();
  });

  test('who promises a list and sends another one', async (context) => {
    const list = (kind: string) =>
      raw(200, JSON.stringify({ kind, apiVersion: 'v1', metadata: { resourceVersion: '1' }, groups: [], items: [] }));
    const patient = await stranger((_, socket) => void socket.write(list('PodList')), context);
    expect(await patient.sync()).toMatchObject({ outcome: 'failed', error_code: 'NOT_KUBERNETES' });
    await expectNeverSynced(patient);
    await patient.remove();
  });
});

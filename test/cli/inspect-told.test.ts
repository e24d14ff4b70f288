// `inspect` where there is no terminal, over a stream that is written here.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runFabricSyncd } from '../support/run-program.ts';

const run = { fabric: 'lab', fabric_id: '7', run: '12', outcome: 'complete', created: 1, updated: 2, deleted: 3 };
const transition = {
  ...{ fabric: 'lab', fabric_id: '7', state: 'locked', at: '2026-01-02T03:04:05.678Z', event: 'TIMER_DUE' },
  ...{ label: 'TIMER_DUE', from: 'scheduled.waiting', to: 'locked.acquiring', stayed_ms: 2_500, late_ms: 0 },
  ...{ why: null, trace_id: null, run: null },
};

const paused = { event: 'PLAN', label: 'PLAN', why: 'ann@noc: paused', to: 'idle', late_ms: null };

async function tellingDaemon(events: readonly (readonly [name: string, data: object])[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-told-'));
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const [name, data] of events) response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(join(folder, 'admin.sock'), resolve);
  await promise;
  return join(folder, 'admin.sock');
}

const inspect = (socket: string, more: readonly string[], until: (stdout: string) => boolean) =>
  runFabricSyncd(['inspect', ...more], { env: { FABRIC_SYNCD_ADMIN_SOCKET: socket }, until });

test('says at once that it listens, then a line for each transition and each run', async () => {
  const socket = await tellingDaemon([
    ['snapshot', { fabrics: [{}, {}] }],
    ['transition', transition],
    ['transition', { ...transition, ...paused }],
    ['run', { ...run, unsynced: 0 }],
    ['run', { ...run, run: '13', unsynced: 4 }],
  ]);
  const { stdout, stderr } = await inspect(socket, [], (so) => so.includes('run 13'));
  expect(stderr).toBe('Listening to 2 fabric(s): a line for each transition.\n');
  expect(stdout.split('\n')).toEqual([
    '03:04:05.678 lab: TIMER_DUE: scheduled.waiting → locked.acquiring after 2.5s, 0ms late',
    '03:04:05.678 lab: PLAN (ann@noc: paused): scheduled.waiting → idle after 2.5s',
    'lab: run 12 complete +1 ~2 -3',
    'lab: run 13 complete +1 ~2 -3, 4 no longer synced',
    '',
  ]);
});

test('--json is a stream of what the daemon says, and nothing beside it', async () => {
  const socket = await tellingDaemon([
    ['snapshot', { fabrics: [] }],
    ['run', { ...run, unsynced: 4 }],
  ]);
  const { stdout, stderr } = await inspect(socket, ['--json'], (so) => so.includes('"run"'));
  expect(stderr).toBe('');
  const told = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  expect(told).toMatchObject([{ event: 'snapshot' }, { event: 'run', data: { unsynced: 4 } }]);
});

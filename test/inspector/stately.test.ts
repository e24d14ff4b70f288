// The Stately Inspector's own receiver at a running fleet, and its own sender as the measure of the messages.

import { once } from 'node:events';
import { createInspector, createWebSocketReceiver, type StatelyInspectionEvent as Inspected } from '@statelyai/inspect';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createActor } from 'xstate';
import { fabricMachine } from '../../machines/fabric/machine.ts';
import { systemClock } from '../../src/clock.ts';
import { actorMessage, transitionMessages } from '../../src/inspector/stately/messages.ts';
import { StatelyServer } from '../../src/inspector/stately/server.ts';
import type { Log } from '../../src/log.ts';
import { memoryDaemon, memoryPlace, pass, until } from '../support/memory-daemon.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const policy = { runDeadlineMs: 1_000, retriesMax: 5 };

const listening = async (fabrics: readonly string[] = ['7', '8']) => {
  const place = memoryPlace();
  for (const id of fabrics) place.database.add(id);
  const daemon = memoryDaemon(place);
  await daemon.start();
  const server = new StatelyServer({
    listen: { host: '127.0.0.1', port: 0 },
    clock: systemClock,
    log: silent,
    members: () => daemon.fleet.members(),
    onTransition: daemon.onTransition,
  });
  await server.start();
  onTestFinished(() => server.stop());
  return { ...place, daemon, server, url: `ws://127.0.0.1:${server.port}` };
};

/** What the package's own receiver gets. Its socket ends with the server. */
const received = (url: string): Inspected[] => {
  const seen: Inspected[] = [];
  createWebSocketReceiver({ server: url }).subscribe((event) => seen.push(event));
  return seen;
};

const actors = (seen: readonly Inspected[]) => seen.filter((one) => one.type === '@xstate.actor');

const waitFor = async (fact: () => boolean) => {
  while (!fact()) await systemClock.sleep(1);
};

const opened = async (url: string, options = {}): Promise<WebSocket> => {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return socket;
};

/** The status of a refused handshake. */
const refusal = async (url: string, headers: Record<string, string>): Promise<number> => {
  const socket = new WebSocket(url, { headers });
  socket.on('error', () => {});
  const [, response] = await once(socket, 'unexpected-response');
  socket.terminate();
  return response.statusCode;
};

describe('a viewer of the Stately Inspector', () => {
  test('is told every fabric with its statechart, and then a whole run step by step', async () => {
    const { clock, url } = await listening();
    const seen = received(url);
    await waitFor(() => actors(seen).length === 2);
    const [first] = actors(seen);
    expect(JSON.parse(first?.definition ?? '')).toMatchObject({
      id: 'fabric',
      states: { syncing: { tags: 'working' } },
    });
    expect(first?.snapshot).toMatchObject({ status: 'active', value: { scheduled: 'waiting' } });
    await pass(clock, 5_000);
    const values = () =>
      seen.flatMap((one) =>
        one.type === '@xstate.snapshot' && one.sessionId === 'fabric-7'
          ? [(one.snapshot as { value?: unknown }).value]
          : [],
      );
    await waitFor(() => values().length >= 5);
    expect(values()).toEqual([
      { locked: 'acquiring' },
      { locked: 'claiming' },
      { syncing: 'running' },
      { scheduled: 'arming' },
      { scheduled: 'waiting' },
    ]);
    const events = seen.filter((one) => one.type === '@xstate.event' && one.sessionId === 'fabric-7');
    expect(events.map((one) => one.type === '@xstate.event' && one.event.type)).toMatchObject({
      0: 'TIMER_DUE',
      length: 5,
    });
  });

  test('may ask for one fabric, by its name or its number', async () => {
    const { clock, url, daemon } = await listening();
    const name = daemon.fleet.member('8')?.name;
    const byName = received(`${url}/?fabric=${name}`);
    const byNumber = received(`${url}/?fabric=8`);
    await waitFor(() => byName.length > 0 && byNumber.length > 0);
    await pass(clock, 5_000);
    await waitFor(() => byName.length >= 11 && byNumber.length >= 11);
    expect(new Set([...byName, ...byNumber].map((one) => one.sessionId))).toEqual(new Set(['fabric-8']));
  });

  test('is told so where there is no such fabric', async () => {
    const { url } = await listening();
    const socket = await opened(`${url}/?fabric=nowhere`);
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([1008, 'there is no such fabric']);
  });

  test('gets the statechart of a fabric that is added later before anything that happens to it', async () => {
    const { clock, database, daemon, url } = await listening(['7']);
    const seen = received(url);
    await waitFor(() => actors(seen).length === 1);
    database.add('9');
    await daemon.sweep.now('test');
    await until(() => daemon.fleet.member('9') !== null);
    await pass(clock, 5_000);
    await waitFor(() => seen.some((one) => one.sessionId === 'fabric-9' && one.type === '@xstate.snapshot'));
    expect(seen.find((one) => one.sessionId === 'fabric-9')?.type).toBe('@xstate.actor');
  });

  test('of a thousand fabrics gets them all, though they are more than one may leave unread', async () => {
    const { url } = await listening(Array.from({ length: 1_000 }, (_, index) => String(index + 1)));
    const seen = received(url);
    await waitFor(() => actors(seen).length === 1_000);
    expect(new Set(seen.map((one) => one.sessionId)).size).toBe(1_000);
  });

  test('never sees the token of a lease', async () => {
    const { clock, daemon, url, gate } = await listening(['7']);
    const seen = received(url);
    await waitFor(() => actors(seen).length === 1);
    gate.shut();
    await pass(clock, 5_000);
    const token = daemon.fleet.member('7')?.context.token;
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
    await waitFor(() => JSON.stringify(seen).includes('"running"'));
    expect(JSON.stringify(seen)).not.toContain(token);
  });
});

describe('the messages', () => {
  test('have the shape that the package itself sends', () => {
    const sent: Inspected[] = [];
    const inspector = createInspector({ send: (event) => sent.push(event) });
    const actor = createActor(fabricMachine, { id: 'fabric-7', input: { fabricId: '7', policy } });
    inspector.actor(actor, actor.getSnapshot());
    inspector.event(actor, { type: 'PLAN' });
    inspector.snapshot(actor, actor.getSnapshot(), { event: { type: 'PLAN' } });
    const { context } = actor.getSnapshot();
    const member = { fabricId: '7', name: 'lab', path: 'idle', context };
    const ours = [actorMessage(member, 0), ...transitionMessages({ ...member, event: 'PLAN', to: 'idle' }, 0)];
    const shape = (message: object) =>
      Object.keys(message)
        .filter((key) => !['parentId', 'sourceId'].includes(key))
        .sort();
    expect(ours.map(shape)).toEqual(sent.map(shape));
    expect(ours.map(({ type, _version }) => ({ type, _version }))).toEqual(
      sent.map(({ type, _version }) => ({ type, _version })),
    );
    const [theirs] = actors(sent);
    expect(JSON.parse((ours[0] as { definition: string }).definition)).toEqual(JSON.parse(theirs?.definition ?? ''));
  });
});

describe('who may not look', () => {
  let url: string;
  let server: StatelyServer;
  beforeAll(async () => {
    const listen = { host: '127.0.0.1', port: 0 };
    server = new StatelyServer({
      listen,
      clock: systemClock,
      log: silent,
      members: () => [],
      onTransition: () => () => {},
    });
    await server.start();
    url = `ws://127.0.0.1:${server.port}`;
  });
  afterAll(() => server.stop());

  test.each([
    ['a page of another site', { origin: 'https://evil.example' }, 403],
    ['a page that has no origin of its own', { origin: 'null' }, 403],
    ['a page whose name begins like loopback', { origin: 'http://localhost.evil.example' }, 403],
    ['a name that was rebound to loopback', { host: 'evil.example' }, 421],
  ])('%s', async (_, headers, status) => {
    expect(await refusal(url, headers)).toBe(status);
  });

  test.each([{}, { origin: 'http://localhost:8080' }, { origin: 'http://127.0.0.1:5173' }])(
    'but %o may',
    async (headers) => {
      const socket = await opened(url, { headers });
      expect(socket.readyState).toBe(socket.OPEN);
      socket.terminate();
    },
  );

  test('one more than eight', async () => {
    for (let count = 0; count < 8; count++) await opened(url);
    expect(await refusal(url, {})).toBe(503);
  });

  test('is told which port is taken, where it is', async () => {
    const listen = { host: '127.0.0.1', port: server.port ?? 0 };
    const second = new StatelyServer({
      listen,
      clock: systemClock,
      log: silent,
      members: () => [],
      onTransition: () => () => {},
    });
    await expect(second.start()).rejects.toThrow(/FABRIC_SYNCD_STATELY: cannot listen on 127.0.0.1:\d+ \(EADDRINUSE\)/);
  });

  test('one that asks by plain HTTP is told what this is', async () => {
    const answer = await fetch(url.replace('ws:', 'http:'));
    expect(answer.status).toBe(426);
    expect(await answer.text()).toContain('Stately Inspector');
  });

  test('one that sends more than a word is cut off, and what it sends is not read', async () => {
    const socket = await opened(url);
    socket.on('error', () => {});
    socket.send('{"type":"xstate.init"}');
    socket.send('x'.repeat(2_000));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
  });
});

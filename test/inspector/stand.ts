// The inspector's server over rows in memory: the real gate, login, control, stream and read model, without a daemon.

import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { systemClock } from '../../src/clock.ts';
import { ReadingApi } from '../../src/inspector/api.ts';
import { machineDocument } from '../../src/inspector/chart.ts';
import { Control } from '../../src/inspector/control.ts';
import { Details } from '../../src/inspector/details.ts';
import { Feed } from '../../src/inspector/feed.ts';
import { Lateness } from '../../src/inspector/lateness.ts';
import { Live, type LiveDeps } from '../../src/inspector/live.ts';
import { LoginDesk } from '../../src/inspector/login.ts';
import type { PageFiles } from '../../src/inspector/page-files.ts';
import { Repairs } from '../../src/inspector/repairs.ts';
import { InspectorServer, type InspectorServerDeps } from '../../src/inspector/server.ts';
import { Streams, type StreamsDeps } from '../../src/inspector/streams.ts';
import { Timeline } from '../../src/inspector/timeline.ts';
import type { Log } from '../../src/log.ts';
import type { StatusRow } from '../../src/ports/operator.ts';
import { nowMs, sampleRow } from './sample.ts';

/** What the log was told. */
export interface LogBook extends Log {
  readonly lines: {
    readonly level: string;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly line: string;
  }[];
}

export function logBook(): LogBook {
  const lines: LogBook['lines'] = [];
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, line: string) => {
    lines.push({ level, fields, line });
  };
  const book: LogBook = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => book,
  };
  return book;
}

export interface World {
  readonly rows: StatusRow[];
  /** How often Postgres was asked. */
  asked: number;
  /** Throws what Postgres says instead of an answer. */
  refuses: Error | null;
  /** As above, of what is asked about one fabric. */
  refusesDetails: Error | null;
  /** As above, of what is to be changed. */
  refusesActs: Error | null;
  /** What is asked about one fabric is answered after this. */
  detailsAfter: Promise<unknown>;
  /** How often that was asked. */
  askedDetails: number;
  timers: LiveDeps['readTimers'] extends () => Promise<infer Read> ? Read : never;
}

/** A read model over rows that a test changes. */
export function liveOver(rows: StatusRow[], clock: Clock, more: Partial<LiveDeps> = {}) {
  const world: World = {
    rows,
    asked: 0,
    refuses: null,
    refusesDetails: null,
    refusesActs: null,
    detailsAfter: Promise.resolve(),
    askedDetails: 0,
    timers: { state: 'answers', timers: timersOf(rows) },
  };
  const feed = new Feed('boot');
  const live = new Live({
    clock,
    daemon: {
      name: 'host/1/abc',
      version: '0',
      pid: 1,
      started_at: '2026-01-02T00:00:00.000Z',
      slots: 10,
      control: true,
    },
    reads: {
      async status(fabricIds) {
        world.asked += 1;
        if (world.refuses) throw world.refuses;
        return { nowMs, fabrics: world.rows.filter(({ fabricId }) => fabricIds?.includes(fabricId) ?? true) };
      },
      endedRuns: async () => new Map(),
    },
    readTimers: async () => world.timers,
    fleet: { members: () => [], member: () => null, waits: () => false },
    troubles: { daemon: () => null, redis: () => null, postgres: () => null },
    feed,
    usesRedis: true,
    ...more,
  });
  return { live, feed, world };
}

export function timersOf(rows: readonly StatusRow[]) {
  return rows.flatMap(({ fabricId, dueAtMs, dueKind }) =>
    dueAtMs === null || dueKind === null
      ? []
      : [{ fabricId, kind: dueKind, dueAtMs, showsAtMs: dueAtMs, traceparent: null }],
  );
}

const file = (text: string, type: string) => ({ body: Buffer.from(text), type, etag: `"${text.length}"` });
const index = file('<!doctype html><title>the page</title>', 'text/html; charset=utf-8');
export const page: PageFiles = {
  files: new Map([['/assets/app.js', file('export {};', 'text/javascript; charset=utf-8')]]),
  index,
  inlineScripts: [],
};

export interface StandOptions {
  readonly rows?: StatusRow[];
  readonly clock?: Clock;
  readonly control?: boolean;
  readonly limits?: InspectorServerDeps['limits'];
  readonly streams?: Partial<StreamsDeps>;
  readonly address?: InspectorServerDeps['address'];
  readonly fleet?: LiveDeps['fleet'];
}

export async function openStand(options: StandOptions = {}) {
  const { rows = [sampleRow()], clock = systemClock, control = true, limits } = options;
  const { live, feed, world } = liveOver(rows, clock, options.fleet && { fleet: options.fleet });
  const log = logBook();
  const did: (readonly [act: string, ...rest: unknown[]])[] = [];
  const timeline = new Timeline(clock);
  const streams = new Streams({ live, feed, clock, ...options.streams });
  const details = new Details({
    clock,
    daemon: 'host/1/abc',
    live,
    timeline,
    lateness: new Lateness(),
    repairs: new Repairs(nowMs),
    operator: {
      async runs() {
        world.askedDetails += 1;
        await world.detailsAfter;
        if (world.refusesDetails) throw world.refusesDetails;
        return [];
      },
      run: async () => null,
      changes: async () => [],
      quarantine: async () => [],
    },
    reads: { settings: async () => null, acts: async () => [] },
    slots: { running: 0, waiting: 0, capacity: 10 },
    traces: null,
    jaegerUrl: null,
  });
  const desk = new LoginDesk(clock);
  const status = async (fabricId?: string) => ({ nowMs, fabrics: rows.filter((row) => row.fabricId === fabricId) });
  const acts = new Control({
    operator: {
      status,
      request: async (ids, by, traceparent) => {
        did.push(['request', ids, by, traceparent]);
        return ids.map((fabricId) => ({ fabricId, requestId: '5' }));
      },
      pause: async (fabricId, pause) => {
        if (world.refusesActs) throw world.refusesActs;
        did.push(['pause', fabricId, pause]);
      },
      resume: async (fabricId, by) => did.push(['resume', fabricId, by]) > 0,
      approve: async (fabricId, approval) => {
        did.push(['approve', fabricId, approval]);
        return { kind: 'approved', requestId: null };
      },
      unlock: async (fabricId, by) => {
        did.push(['unlock', fabricId, by]);
        return { holder: null, runId: null, epoch: 8 };
      },
      cancel: async (fabricId, by) => void did.push(['cancel', fabricId, by]),
    },
    breakLock: async () => 'not_locked',
    clock,
    log,
    tracing: { acted: (act, work) => work(`trace of ${act.act}`) },
  });
  const server = new InspectorServer({
    address: options.address ?? { kind: 'tcp', host: '127.0.0.1', port: 0 },
    page,
    api: new ReadingApi({ live, details, streams, machine: machineDocument({}) }),
    details,
    streams,
    control: control ? { acts, desk } : null,
    log,
    ...(limits && { limits }),
  });
  await server.start();
  onTestFinished(async () => {
    await server.stop();
    await live.sleep();
  });
  const { port } = server;
  return {
    server,
    port,
    host: `127.0.0.1:${port}`,
    base: server.url,
    live,
    feed,
    world,
    log,
    did,
    desk,
    streams,
    timeline,
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** In lower case; empty where it is not there. */
  header(name: string): string;
}

/** Writes these very bytes to a port of loopback and reads until the other side ends, or nothing more can come. */
export async function raw(port: number, bytes: string): Promise<RawAnswer> {
  const [answer] = await rawAll(port, bytes, 1);
  return answer ?? { status: 0, head: '', body: '', header: () => '' };
}

/** Several answers on one connection, told apart by their length. */
export async function rawAll(port: number, bytes: string, count: number): Promise<readonly RawAnswer[]> {
  const socket = connect(port, '127.0.0.1');
  const answers: RawAnswer[] = [];
  let rest = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('data', (data) => {
    rest += data.toString('latin1');
    const bodyless = bytes.startsWith('HEAD ');
    for (let answer = first(rest, bodyless); answer; answer = first(rest, bodyless)) {
      rest = rest.slice(answer.length);
      answers.push(answer.answer);
      if (answers.length >= count) resolve();
    }
  });
  socket.on('close', () => resolve());
  socket.on('error', () => resolve());
  socket.write(bytes);
  await promise;
  socket.destroy();
  return answers;
}

/** Resolves when the other side has closed. */
export function closed(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('close', () => resolve());
  socket.on('error', () => {});
  socket.resume();
  return promise;
}

function first(text: string, bodyless: boolean): { answer: RawAnswer; length: number } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = text.slice(0, end);
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
  const bodyLength = bodyless ? 0 : Number(header('content-length') || 0);
  const length = end + 4 + bodyLength;
  if (text.length < length) return null;
  const body = text.slice(end + 4, length);
  return { answer: { status: Number(head.split(' ')[1]), head, body, header }, length };
}

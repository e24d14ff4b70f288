// The inspector of a real daemon over real servers, asked as a browser and as the command line ask it.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { describe, expect, test, vi } from 'vitest';
import type {
  FabricDocument,
  FleetDocument,
  LoginDocument,
  RunDocument,
  SessionDocument,
  StreamMessages,
  TimersDocument,
  TraceDocument,
} from '../../src/inspector/documents.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();
const on = { FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0', FABRIC_SYNCD_INSPECTOR_CONTROL: 'on' };

async function inspectorOf(daemon: Daemon): Promise<string> {
  const { url } = await daemon.says(/^the inspector is at /);
  return String(url);
}

async function read<Document>(url: string, headers: Record<string, string> = {}): Promise<Document> {
  const response = await fetch(url, { headers });
  expect(response.status, `${url}: ${await response.clone().text()}`).toBe(200);
  return (await response.json()) as Document;
}

/** Logs in by a link of the command's, as a browser does. @returns acts in the name of who asked for the link */
async function login(base: string, link: string) {
  const token = new URL(link).hash.slice(1);
  const json = { 'content-type': 'application/json', origin: base };
  const opened = await fetch(`${base}/api/login`, { method: 'POST', headers: json, body: JSON.stringify({ token }) });
  expect(opened.status).toBe(200);
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const { key } = (await opened.json()) as LoginDocument;
  return async (path: string, body: object = {}) => {
    const headers = { ...json, cookie, 'x-fabric-syncd-key': key };
    const response = await fetch(`${base}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
}

describe('the inspector of a daemon', () => {
  test('tells the fleet, a fabric, a run field by field, the timers and the chart', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab');
    const daemon = await bed.daemon(on).ready();
    const base = await inspectorOf(daemon);
    const first = await lab.synced();
    await lab.synced(first.id);

    const fleet = await read<FleetDocument>(`${base}/api/fleet`);
    expect(fleet.parts).toMatchObject({ postgres: { state: 'ok' }, redis: { state: 'ok' }, daemon: { state: 'ok' } });
    expect(fleet.fabrics).toMatchObject([{ name: 'lab', sync_status: 'in_sync', objects: 38 }]);

    const fabric = await read<FabricDocument>(`${base}/api/fabrics/lab`);
    expect(fabric.settings).toMatchObject({ credential: { kind: 'file' }, ca: 'own' });
    expect(fabric.runs.map(({ id }) => id)).toContain(first.id);
    expect(fabric.transitions.map(({ from, to }) => `${from} ${to}`)).toContain('locked.claiming syncing.running');
    expect(fabric.progress?.kinds.every(({ done }) => done)).toBe(true);

    const run = await read<RunDocument>(`${base}/api/fabrics/lab/runs/${first.id}`);
    expect(run).toMatchObject({ changes_total: 38, run: { created: 38 } });
    const timers = await read<TimersDocument>(`${base}/api/timers`);
    expect(timers.timers).toMatchObject([{ fabric: 'lab' }]);
    expect(timers.lateness.runs).toBeGreaterThan(1);
    expect(await read(`${base}/api/machine`)).toMatchObject({ id: 'fabric' });
    const traceId = fabric.runs.find(({ outcome }) => outcome === 'complete')?.trace_id ?? 'none';
    const { spans } = await read<TraceDocument>(`${base}/api/traces/${traceId}`);
    expect(spans?.length).toBeGreaterThan(5);
    expect(await read(`${base}/api/traces/${'a'.repeat(32)}`)).toMatchObject({ spans: null });
  });

  test('streams what happens, and tells who comes back what was missed', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab');
    const daemon = await bed.daemon(on).ready();
    const base = await inspectorOf(daemon);
    const stream = await listen(`${base}/api/events?fabric=lab`);
    await stream.until('snapshot', ({ fabrics }) => fabrics[0]?.name === 'lab');
    await stream.until('transition', ({ to }) => to === 'syncing.running');
    await stream.until('progress', ({ done }) => done);
    await stream.until('run', ({ outcome }) => outcome === 'complete');
    await stream.until('fabric', (view) => view.sync_status === 'in_sync' && view.recent.length > 0);
    stream.close();
    const { id } = await lab.synced();
    await lab.synced(id);

    const again = await listen(`${base}/api/events?fabric=lab`, stream.lastId);
    await again.until('run', ({ outcome }) => outcome === 'complete');
    expect(again.names).not.toContain('snapshot');
    const stranger = await listen(`${base}/api/events`, 'another-1');
    await stranger.until('snapshot', ({ fabrics }) => fabrics.length === 1);
    again.close();
    stranger.close();
  });

  test('one who logs in by a link acts, and each act is recorded with who and when', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const daemon = await bed.daemon(on).ready();
    const base = await inspectorOf(daemon);
    await lab.synced();
    const { code, json } = await bed.cli('inspect', '--link', '--json');
    expect(code).toBe(0);
    const link = json<{ url: string; who: string }>();
    expect(link.url).toMatch(new RegExp(`^${base}/login#[A-Za-z0-9_-]{43}$`));
    const act = await login(base, link.url);

    expect(await act('fabrics/lab/pause', { reason: 'switch upgrade', until: null })).toMatchObject({ status: 200 });
    expect(await act('fabrics/lab/trigger')).toMatchObject({ status: 409, body: { error: { code: 'PAUSED' } } });
    expect(await act('fabrics/lab/resume')).toMatchObject({ status: 200 });
    expect(await act('fabrics/lab/resume')).toMatchObject({ status: 409, body: { error: { code: 'NOT_PAUSED' } } });
    expect(await act('fabrics/lab/retry')).toMatchObject({ status: 409, body: { error: { code: 'NOT_IN_TROUBLE' } } });
    expect(await act('fabrics/lab/approve', { run: '1' })).toMatchObject({ status: 409 });
    expect(await act('fabrics/lab/cancel')).toMatchObject({ status: 409, body: { error: { code: 'NO_RUN_IN_HAND' } } });
    expect(await act('fabrics/lab/trigger')).toMatchObject({ status: 200, body: { by: link.who } });
    expect(await act('fabrics/nowhere/trigger')).toMatchObject({ status: 404 });
    await vi.waitFor(
      async () => expect((await lab.runs()).map(({ trigger }) => trigger)).toContain('manual'),
      eventually,
    );

    const { acts } = await read<FabricDocument>(`${base}/api/fabrics/lab`);
    expect(acts.map(({ act, by, detail }) => [act, by, detail])).toEqual([
      ['trigger', link.who, ''],
      ['resume', link.who, ''],
      ['pause', link.who, 'switch upgrade'],
    ]);
    expect(daemon.log.filter(({ via }) => via === 'inspector').map(({ act }) => act)).toContain('pause');
    expect(await act('logout')).toMatchObject({ status: 200 });
    expect(await act('fabrics/lab/trigger')).toMatchObject({ status: 401 });
    const token = new URL(link.url).hash.slice(1);
    expect(daemon.output).not.toContain(token);
  });

  test('without control nothing is changed and no link is given', async () => {
    const bed = await openBed();
    await bed.fabric('lab');
    const daemon = await bed.daemon({ FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0' }).ready();
    const base = await inspectorOf(daemon);
    expect(await read<SessionDocument>(`${base}/api/session`)).toEqual({ control: false, who: null, until: null });
    const headers = { 'content-type': 'application/json', origin: base };
    const refused = await fetch(`${base}/api/fabrics/lab/pause`, { method: 'POST', headers, body: '{"reason":"x"}' });
    expect(await refused.json()).toMatchObject({ error: { code: 'CONTROL_OFF' } });
    expect(await bed.cli('inspect', '--link', '--json')).toMatchObject({ code: 4 });
  });
});

interface Listening {
  readonly names: readonly string[];
  readonly lastId: string;
  until<Name extends keyof StreamMessages>(name: Name, fits: (message: StreamMessages[Name]) => boolean): Promise<void>;
  close(): void;
}

async function listen(url: string, lastId?: string): Promise<Listening> {
  const asked = request(url, { headers: lastId === undefined ? {} : { 'last-event-id': lastId } }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const heard: { name: string; data: unknown }[] = [];
  const seen = { id: '', name: '' };
  createInterface({ input: response }).on('line', (line) => {
    const [, field, value = ''] = /^(event|id|data): (.*)$/.exec(line) ?? [];
    if (field === 'event') seen.name = value;
    if (field === 'id') seen.id = value;
    if (field === 'data') heard.push({ name: seen.name, data: JSON.parse(value) });
  });
  response.on('error', () => {});
  return {
    get names() {
      return heard.map(({ name }) => name);
    },
    get lastId() {
      return seen.id;
    },
    async until(name, fits) {
      await vi.waitFor(() => {
        const found = heard.some((one) => one.name === name && fits(one.data as never));
        if (!found) throw new Error(`no such ${name}; heard: ${heard.map((one) => one.name).join(' ')}`);
      }, eventually);
    },
    close: () => response.destroy(),
  };
}

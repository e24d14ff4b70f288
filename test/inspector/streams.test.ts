import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { sampleRow } from './sample.ts';
import { openStand } from './stand.ts';

const eventually = { timeout: 15_000, interval: 10 };

type Stand = Awaited<ReturnType<typeof openStand>>;

async function listen({ base }: Stand, query = '', headers: Record<string, string> = {}) {
  const asked = request(`${base}/api/events${query}`, { headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (chunk: string) => {
    text += chunk;
  });
  const over = once(response, 'close');
  return {
    response,
    over,
    events: () => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name),
    ids: () => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id),
    text: () => text,
    until: (fits: () => void) => vi.waitFor(fits, eventually),
  };
}

const two = () => [sampleRow(), sampleRow({ fabricId: '2', name: 'other' })];

describe('the stream', () => {
  test('begins with a snapshot, or with what was missed, whichever joins without a gap', async () => {
    const stand = await openStand();
    const first = await listen(stand);
    await first.until(() => expect(first.events()).toEqual(['snapshot']));
    const [id = ''] = first.ids();
    stand.feed.tell('run', '{"n":1}', '1');
    stand.feed.tell('run', '{"n":2}', '1');
    await first.until(() => expect(first.events()).toEqual(['snapshot', 'run', 'run']));

    const again = await listen(stand, '', { 'last-event-id': id });
    await again.until(() => expect(again.events()).toEqual(['run', 'run']));
    const byQuery = await listen(stand, `?after=${id}`);
    await byQuery.until(() => expect(byQuery.events()).toEqual(['run', 'run']));
    const stale = await listen(stand, '', { 'last-event-id': 'former-1' });
    await stale.until(() => expect(stale.events()).toEqual(['snapshot']));
    for (const { response } of [first, again, byQuery, stale]) response.destroy();
  });

  test('of one fabric leaves out the others, and has its progress', async () => {
    const stand = await openStand({ rows: two() });
    const all = await listen(stand);
    const one = await listen(stand, '?fabric=other');
    await one.until(() => expect(one.events()).toEqual(['snapshot']));
    await all.until(() => expect(all.events()).toEqual(['snapshot']));
    const told = JSON.parse(/^data: (.*)$/m.exec(one.text())?.[1] ?? '') as { fabrics: { name: string }[] };
    expect(told.fabrics.map(({ name }) => name)).toEqual(['other']);
    stand.feed.tell('transition', '{}', '1');
    stand.feed.tellProgress('{}', '1');
    stand.feed.tellProgress('{}', '2');
    stand.feed.tell('parts', '{}', null);
    stand.feed.tell('transition', '{}', '2');
    await one.until(() => expect(one.events()).toEqual(['snapshot', 'progress', 'parts', 'transition']));
    await all.until(() => expect(all.events()).toEqual(['snapshot', 'transition', 'parts', 'transition']));
    all.response.destroy();
    one.response.destroy();
  });

  test('of a fabric that is not there is a 404', async () => {
    const stand = await openStand();
    const response = await fetch(`${stand.base}/api/events?fabric=none`);
    expect([response.status, await response.json()]).toMatchObject([404, { error: { code: 'NO_SUCH_FABRIC' } }]);
    expect(stand.streams.size).toBe(0);
  });

  test('one watcher too many is told so, and has room when another leaves', async () => {
    const stand = await openStand({ streams: { watchersMax: 2 } });
    const held = [await listen(stand), await listen(stand)];
    const refused = await fetch(`${stand.base}/api/events`);
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: 'TOO_MANY_WATCHERS' } }]);
    held[0]?.response.destroy();
    await vi.waitFor(() => expect(stand.streams.size).toBe(1), eventually);
    const next = await listen(stand);
    expect(next.response.statusCode).toBe(200);
    for (const { response } of [...held, next]) response.destroy();
  });

  test('who does not read is cut off before it fills our memory, and is given a snapshot when it comes back', async () => {
    const stand = await openStand({ streams: { backlogBytesMax: 256 * 1024 } });
    const slow = await listen(stand);
    await slow.until(() => expect(slow.events()).toEqual(['snapshot']));
    const [id = ''] = slow.ids();
    slow.response.pause();
    const filler = JSON.stringify('x'.repeat(64 * 1024));
    // More than the kernel's buffers hold, and more than the feed keeps.
    for (let i = 0; i < 1_000 && stand.streams.size > 0; i++) {
      stand.feed.tell('run', filler, '1');
      await new Promise(setImmediate);
    }
    expect(stand.streams.size).toBe(0);
    slow.response.destroy();
    while (stand.feed.since(id) !== null) stand.feed.tell('run', filler, '1');
    const again = await listen(stand, '', { 'last-event-id': id });
    await again.until(() => expect(again.events()).toEqual(['snapshot']));
    again.response.destroy();
  });

  test('ends with the server', async () => {
    const stand = await openStand();
    const one = await listen(stand);
    await stand.server.stop();
    await one.over;
    expect(stand.streams.size).toBe(0);
  });

  test('nothing is watched any more when the last one has left', async () => {
    const stand = await openStand();
    const one = await listen(stand);
    await one.until(() => expect(one.events()).toEqual(['snapshot']));
    expect(stand.live.awake).toBe(true);
    one.response.destroy();
    await vi.waitFor(() => expect(stand.streams.size).toBe(0), eventually);
  });
});

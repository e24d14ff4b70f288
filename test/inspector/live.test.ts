import { describe, expect, onTestFinished, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { FleetMember } from '../../src/fleet/fleet.ts';
import type { Live, LiveDeps } from '../../src/inspector/live.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { quiet } from '../support/memory-daemon.ts';
import { nowMs, sampleRow, sampleRun } from './sample.ts';
import { liveOver, timersOf } from './stand.ts';

function open(rows = [sampleRow()], more: Partial<LiveDeps> = {}) {
  const clock = handClock(nowMs);
  const place = liveOver(rows, clock, more);
  const told: { event: string; data: Record<string, unknown> }[] = [];
  place.feed.listen(({ text }) => {
    const [, event = '', data = ''] = /^event: (\w+)\n(?:id: .*\n)?data: (.*)\n\n$/.exec(text) ?? [];
    told.push({ event, data: JSON.parse(data) as Record<string, unknown> });
  });
  onTestFinished(async () => {
    const asleep = place.live.sleep();
    await pass(clock, 1_000);
    await asleep;
  });
  return { clock, told, ...place };
}

async function pass(clock: HandClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(250, left));
    await quiet();
  }
}

async function watched(live: Live) {
  const watching = live.watch();
  await watching.ready;
  return watching;
}

const away = new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres did not answer');

describe('the live view', () => {
  test('reads nothing while nobody watches, and nothing any more after the last one has left', async () => {
    const { live, world, clock } = open();
    await pass(clock, 60_000);
    live.mark('1');
    await pass(clock, 1_000);
    expect(world.asked).toBe(0);
    const { release } = await watched(live);
    expect(live.fleet().fabrics).toMatchObject([{ name: 'lab', sync_status: 'in_sync' }]);
    release();
    await pass(clock, 60_000);
    expect(live.awake).toBe(false);
    const { asked } = world;
    await pass(clock, 60_000);
    expect(world.asked).toBe(asked);
    expect(live.fleet().fabrics).toEqual([]);
  });

  test('many changes of one moment are one read, of just those fabrics', async () => {
    const { live, world, clock } = open([1, 2, 3].map((id) => sampleRow({ fabricId: String(id), name: `lab-${id}` })));
    await watched(live);
    const { asked } = world;
    for (let i = 0; i < 50; i++) live.mark(i % 2 === 0 ? '1' : '2');
    await pass(clock, 500);
    expect(world.asked).toBe(asked + 1);
  });

  test('tells what has changed, and nothing where only time has passed', async () => {
    const { live, world, clock, told } = open();
    await watched(live);
    told.length = 0;
    await pass(clock, 30_000);
    expect(told).toEqual([]);
    world.rows[0] = sampleRow({ objects: 37, lastRun: sampleRun({ runId: '13', outcome: 'partial' }) });
    live.mark('1');
    await pass(clock, 500);
    expect(told).toMatchObject([
      { event: 'fabric', data: { objects: 37, recent: [{ id: '12' }, { id: '13', outcome: 'partial' }] } },
    ]);
  });

  test('what nobody told of is found by the whole look', async () => {
    const { live, world, clock, told } = open();
    await watched(live);
    told.length = 0;
    world.rows.push(sampleRow({ fabricId: '2', name: 'new' }));
    world.timers = { state: 'answers', timers: timersOf(world.rows) };
    await pass(clock, 11_000);
    expect(told).toMatchObject([{ event: 'fabric', data: { id: '2' } }]);
    world.rows.splice(0, 1);
    world.timers = { state: 'answers', timers: timersOf(world.rows) };
    await pass(clock, 11_000);
    expect(told.slice(1)).toMatchObject([{ event: 'gone', data: { id: '1', name: 'lab' } }]);
  });

  test('without Postgres it keeps what it knew, says what is missing and since when, and comes back', async () => {
    const { live, world, clock, told } = open();
    await watched(live);
    told.length = 0;
    world.refuses = away;
    await pass(clock, 11_000);
    expect(told).toMatchObject([
      { event: 'parts', data: { postgres: { state: 'missing', problem: 'Postgres did not answer' } } },
    ]);
    const { since } = live.parts().postgres;
    await pass(clock, 20_000);
    expect(live.parts().postgres.since).toBe(since);
    expect(live.fleet().fabrics).toMatchObject([{ name: 'lab', objects: 36 }]);
    world.refuses = null;
    await pass(clock, 3_000);
    expect(live.parts().postgres.state).toBe('ok');
  });

  test('Redis that goes away is told within a second or two, without waiting for the next whole look', async () => {
    const away: { now: { problem: string; sinceMs: number } | null } = { now: null };
    const troubles = { daemon: () => null, redis: () => away.now, postgres: () => null };
    const { live, world, clock, told } = open(undefined, { troubles });
    await watched(live);
    told.length = 0;
    const { asked } = world;
    away.now = { problem: 'it refuses connections', sinceMs: nowMs - 500 };
    await pass(clock, 1_500);
    const since = '2026-01-02T03:04:04.500Z';
    expect(told[0]).toEqual({
      event: 'parts',
      data: expect.objectContaining({ redis: { state: 'missing', problem: 'it refuses connections', since } }),
    });
    await pass(clock, 1_000);
    expect(world.asked).toBe(asked + 1);
    away.now = null;
    await pass(clock, 1_500);
    expect(live.parts().redis.state).toBe('ok');
  });

  test('a sweep that fails does not make it ask without end', async () => {
    const troubles = { daemon: () => null, redis: () => null, postgres: () => ({ problem: 'DATABASE_REFUSED' }) };
    const { live, world, clock } = open(undefined, { troubles });
    await watched(live);
    const { asked } = world;
    await pass(clock, 20_000);
    expect(world.asked - asked).toBeLessThanOrEqual(10);
    expect(live.parts().postgres.state).toBe('ok');
  });

  test('without Postgres from the start it shows what the actors know', async () => {
    const member = { fabricId: '1', name: 'lab', state: 'backoff', path: 'backoff.waiting', since: nowMs } as const;
    const actor = { ...member, context: { attempts: 3 } } as unknown as FleetMember;
    const fleet = { members: () => [actor], member: () => actor, waits: () => false };
    const { live, world } = open([], { fleet });
    world.refuses = away;
    await watched(live);
    expect(live.fleet().fabrics).toMatchObject([
      { name: 'lab', state: 'backoff', path: 'backoff.waiting', attempts: 3, sync_status: null },
    ]);
  });

  test('where an actor is, is told as of now, and not as of the last look at the rows', async () => {
    const context = { attempts: 0 };
    const at = (path: string) =>
      ({ fabricId: '1', name: 'lab', path, since: nowMs, context }) as unknown as FleetMember;
    let actor = at('scheduled.waiting');
    const { live } = open(undefined, { fleet: { members: () => [actor], member: () => actor, waits: () => false } });
    await watched(live);
    expect(live.find('lab')?.view.path).toBe('scheduled.waiting');
    actor = at('syncing.running');
    expect(live.find('lab')?.view.path).toBe('syncing.running');
    expect(live.fleet().fabrics).toMatchObject([{ path: 'syncing.running' }]);
  });

  test('a timer that disagrees is told when a later look still sees it, not before', async () => {
    const { live, world, clock } = open();
    const state = () => live.fleet().fabrics[0]?.timer.state;
    world.timers = { state: 'answers', timers: [] };
    await watched(live);
    expect(state()).toBe('moving');
    expect(live.fleet().disagreements).toBe(0);
    await pass(clock, 3_000);
    expect(state()).toBe('missing');
    expect(live.fleet().disagreements).toBe(1);
    world.timers = { state: 'answers', timers: timersOf(world.rows) };
    await pass(clock, 11_000);
    expect(state()).toBe('armed');
    expect(live.fleet().disagreements).toBe(0);
  });

  test('lengths of time in a snapshot are those of its own moment', async () => {
    const { live, clock } = open();
    await watched(live);
    expect(live.fleet().fabrics[0]).toMatchObject({ due_in_ms: 40_000, age_ms: 20_000 });
    clock.advance(100);
    expect(live.fleet().fabrics[0]).toMatchObject({ due_in_ms: 39_900, age_ms: 20_100 });
  });

  test('who comes back within moments is told what was missed; later, nothing old is known', async () => {
    const { live, world, clock, feed } = open();
    const { release } = await watched(live);
    const { id } = feed;
    release();
    world.rows[0] = sampleRow({ objects: 37 });
    live.mark('1');
    await pass(clock, 1_000);
    expect(feed.since(id)).toHaveLength(1);
    await pass(clock, 60_000);
    expect(feed.since(id)).toBeNull();
    expect(feed.since(feed.id)).toEqual([]);
  });
});

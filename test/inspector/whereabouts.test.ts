import { describe, expect, test } from 'vitest';
import type { FabricView } from '../../src/inspector/view.ts';
import { placed } from '../../src/inspector/whereabouts.ts';
import { nowMs } from './sample.ts';

const rows = (state: FabricView['state'], daemon: string | null = null) =>
  ({ state, sync_status: 'in_sync', run: daemon === null ? null : { daemon } }) as FabricView;
const at = (path: string | null) => ({
  daemon: 'here',
  member: path === null ? null : { path, since: nowMs },
  waits: false,
});

describe('where a fabric is', () => {
  test.for([
    ['rows that were read before the run began', rows('scheduled'), 'syncing.running', 'syncing'],
    ['rows that were read before it asked for the lock', rows('backoff'), 'locked.acquiring', 'locked'],
    ['rows that were read before its own run ended', rows('syncing', 'here'), 'scheduled.arming', 'scheduled'],
    ['its own failed run, whose end is being written', rows('syncing', 'here'), 'backoff.recording', 'backoff'],
    ['a run of another daemon', rows('syncing', 'there'), 'scheduled.waiting', 'syncing'],
    ['rows at rest, which an actor has not heard of', rows('idle'), 'scheduled.waiting', 'idle'],
    ['rows without an actor', rows('errored'), null, 'errored'],
  ] as const)('%s', ([, view, path, state]) => {
    expect(placed(view, at(path))).toMatchObject({ state, path });
  });

  test('what runs is said to be syncing', () => {
    expect(placed(rows('scheduled'), at('syncing.running')).sync_status).toBe('syncing');
    expect(placed(rows('scheduled'), at('locked.acquiring')).sync_status).toBe('in_sync');
  });
});

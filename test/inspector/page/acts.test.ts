import { describe, expect, test } from 'vitest';
import type { FleetFabric } from '../../../src/inspector/documents.ts';
import { actsFor } from '../../../src/inspector/page/acts.js';

const fabric = (more: Partial<FleetFabric>) =>
  ({
    state: 'scheduled',
    path: 'scheduled.waiting',
    reason: null,
    pause: null,
    approval: null,
    ...more,
  }) as FleetFabric;
const pause = { by: 'ann', reason: 'an upgrade', since: null, until: null } as unknown as FleetFabric['pause'];
const approval = { kind: 'cluster', run: '7', approved_by: null } as unknown as FleetFabric['approval'];
const approved = { ...approval, approved_by: 'ann' } as FleetFabric['approval'];

describe('what a person may do', () => {
  test.for([
    ['a fabric that is well', {}, ['trigger', 'pause']],
    ['one of which no actor is known yet', { path: null }, ['trigger', 'pause']],
    ['a run in hand', { state: 'syncing', path: 'syncing.running' }, ['cancel', 'pause', 'unlock']],
    ['a run in another daemon', { state: 'syncing', path: 'scheduled.waiting' }, ['cancel', 'pause', 'unlock']],
    ['a fabric that waits for a retry', { state: 'backoff', path: 'backoff.waiting' }, ['retry', 'pause']],
    ['one that only a person can mend', { state: 'errored', path: 'errored.waiting' }, ['retry', 'pause']],
    ['a failed run that is being written down', { state: 'backoff', path: 'backoff.recording' }, ['pause', 'unlock']],
    [
      'rows at rest while the actor is at work',
      { state: 'scheduled', path: 'syncing.running' },
      ['cancel', 'pause', 'unlock'],
    ],
    ['the same, where its lease is still live', { state: 'syncing', path: 'backoff.recording' }, ['pause', 'unlock']],
    ['rows at rest while the actor writes down', { path: 'backoff.recording' }, ['pause', 'unlock']],
    ['a pause', { state: 'idle', path: 'idle', reason: 'paused', pause }, ['resume']],
    [
      'a fabric that is synced by hand only',
      { state: 'idle', path: 'idle', reason: 'interval_zero' },
      ['trigger', 'pause'],
    ],
    ['one that is not to be synced at all', { state: 'idle', path: 'idle', reason: 'sync_disabled' }, ['pause']],
    ['what waits for approval', { approval }, ['approve', 'trigger', 'pause']],
    ['what was approved', { approval: approved }, ['trigger', 'pause']],
  ] as const)('about %s', ([, more, acts]) => {
    expect(actsFor(fabric(more))).toEqual(acts);
  });
});

// The Stately Inspector's own receiver at a real daemon: one run, seen step by step.

import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import { expect, test, vi } from 'vitest';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();

test('a viewer of the Stately Inspector sees a run step by step, of the fabric that it asked for', async () => {
  const bed = await openBed();
  const lab = await bed.fabric('lab', { sync_interval: 3600 });
  await bed.sql`insert into fabric (name) values ('other')`;
  const daemon = await bed.daemon({ FABRIC_SYNCD_STATELY: '127.0.0.1:0' }).ready();
  const { url } = await daemon.says(/^viewers of the Stately Inspector can attach at /);
  const first = await lab.synced();
  const seen: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: `${url}/?fabric=lab` }).subscribe((event) => seen.push(event));
  await vi.waitFor(() => expect(seen[0]).toMatchObject({ type: '@xstate.actor', name: 'lab' }), eventually);
  const [actor] = seen;
  expect(JSON.parse((actor?.type === '@xstate.actor' && actor.definition) || '{}')).toMatchObject({ id: 'fabric' });

  expect((await bed.cli('trigger', 'lab')).code).toBe(0);
  const values = () =>
    seen.flatMap((one) => (one.type === '@xstate.snapshot' ? [(one.snapshot as { value?: unknown }).value] : []));
  await vi.waitFor(
    () =>
      expect(values()).toEqual([
        { locked: 'acquiring' },
        { locked: 'claiming' },
        { syncing: 'running' },
        { scheduled: 'arming' },
        { scheduled: 'waiting' },
      ]),
    eventually,
  );
  expect(seen.find((one) => one.type === '@xstate.event')).toMatchObject({ event: { type: 'SYNC_REQUESTED' } });
  expect(new Set(seen.map(({ sessionId }) => sessionId))).toEqual(new Set([`fabric-${lab.id}`]));
  expect(JSON.stringify(seen)).not.toContain(lab.cluster.token);
  await lab.synced(first.id);
});

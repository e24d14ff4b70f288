// What people do to the fabrics of a place, by the same acts as the command and the page.

import { addFabric, memoryOperator, removeFabric, setFabric } from '../support/memory-operator.ts';
import { sealedToken } from './canary.ts';
import type { Place } from './place.ts';
import type { PlannedEvent, SettingsChange } from './scenario.ts';

type OperatorAct = Extract<PlannedEvent, { what: 'operator' }>['act'];

export async function operate(place: Place, fabricId: string, act: OperatorAct, ms: number): Promise<void> {
  const { world, postgres, redis, checker, scenario } = place;
  const { database } = postgres;
  const operator = memoryOperator(database);
  const row = database.rows.get(fabricId);
  if (act === 'add') {
    const plan = scenario.fabrics.find((one) => one.fabricId === fabricId);
    if (row || !plan || plan.absent || place.removed.has(fabricId)) return;
    world.tell(`fabric ${fabricId}: added`);
    addFabric(database, fabricId, settingsIn(place, fabricId, plan.intervalMs));
    return;
  }
  if (!row) return;
  world.tell(`fabric ${fabricId}: ${act}${act === 'pause' && ms > 0 ? ` for ${ms} ms` : ''}`);
  checker.meddled(fabricId);
  switch (act) {
    case 'trigger':
      for (const { requestId } of await operator.request([fabricId], 'ann', null)) checker.asked(requestId, fabricId);
      return;
    case 'approve':
      if (row.approval)
        await operator.approve(fabricId, { runId: row.approval.runId, by: 'ann', ask: true, traceparent: null });
      return;
    case 'unlock':
      checker.unlocked(fabricId);
      await operator.unlock(fabricId, 'ann');
      checker.leases.broken(fabricId);
      redis.breakLock(fabricId);
      return;
    case 'cancel':
      return operator.cancel(fabricId, 'ann');
    case 'pause':
      return operator.pause(fabricId, { by: 'ann', reason: 'why', untilMs: ms > 0 ? database.now() + ms : null });
    case 'resume':
      await operator.resume(fabricId, 'ann');
      return;
    case 'remove':
      place.removed.add(fabricId);
      removeFabric(database, fabricId);
      return;
    case 'way in':
      setFabric(database, fabricId, { server: row.server });
      return;
    case 'announce':
      return operator.announce(ms > 0 ? fabricId : null);
  }
}

const server = 'https://172.30.0.1:6443';

/** Only the kinds that the simulated fabrics serve are read. */
export function settingsIn(place: Place, fabricId: string, intervalMs: number) {
  const { kindsRemoved } = place;
  return { intervalMs, kindsRemoved, guardCount: 5, server, credential: credentialOf(place, fabricId) };
}

export function valuesIn({ kindsRemoved }: Place, { unwanted, ...values }: SettingsChange) {
  return { ...values, ...(unwanted && { kindsRemoved: [...kindsRemoved, ...unwanted] }) };
}

function credentialOf({ fabrics, key }: Place, fabricId: string) {
  return sealedToken(key, fabricId, fabrics.get(fabricId)?.token ?? '');
}

/** Somebody sets, past the command that would refuse it, what cannot be used. */
export function mislead(place: Place, fabricId: string, by: 'address' | 'credential'): void {
  const { database } = place.postgres;
  if (!database.rows.has(fabricId)) return;
  place.checker.meddled(fabricId);
  setFabric(database, fabricId, by === 'address' ? { server: 'http://172.30.0.1' } : { credential: { kind: 'none' } });
}

/** The address and the token are those of the fabric. */
export function setRight(place: Place, fabricId: string): void {
  if (place.postgres.database.rows.has(fabricId)) setFabric(place.postgres.database, fabricId, { server });
  giveToken(place, fabricId);
}

/** As `fabric set --token-file`. */
export function giveToken(place: Place, fabricId: string): void {
  if (!place.postgres.database.rows.has(fabricId)) return;
  place.world.tell(`fabric ${fabricId}: is given its token`);
  place.checker.meddled(fabricId);
  setFabric(place.postgres.database, fabricId, { credential: credentialOf(place, fabricId) });
}

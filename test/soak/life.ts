// What goes on around the daemon while it is measured: people edit, fabrics fail and recover, come and go and are set
// anew, somebody asks for a sync, somebody watches and leaves. Everything within bounds, and by a seed.
//
//   L1. The number of fabrics and of their objects stays: what comes, goes again.
//   L2. When it has stopped, every fabric that is not dead for good is well.

import type { Sql } from 'postgres';
import { askDaemon, hearDaemon } from '../../src/admin/client.ts';
import { systemClock } from '../../src/clock.ts';
import type { Fault } from '../../src/demo/fabrics/faults.ts';
import type { FabricProcess } from '../../src/demo/fabrics/process.ts';
import type { Dice } from '../../src/dice.ts';
import type { Grounds, Tenant } from './grounds.ts';

export interface LifeDeps {
  readonly sql: Sql;
  readonly fabrics: FabricProcess;
  readonly adminSocket: string;
  readonly grounds: Grounds;
  readonly dice: Dice;
  readonly intervalSeconds: number;
  /** Everything happens so many times as often. */
  readonly haste: number;
}

/** How often each thing happened. */
export type Deeds = Record<'edits' | 'faults' | 'triggers' | 'watchers' | 'settings' | 'replaced', number>;

const everyMs = { edit: 500, fault: 10_000, trigger: 3_000, watch: 10_000, set: 15_000, replace: 20_000 };
const faultLastsMs = 15_000;
const watchLastsMs = 5_000;
const pauseMs = 4_000;

const troubles: readonly Fault[] = [
  { does: 'status', status: 503 },
  { does: 'status', status: 429, retryAfterS: 2 },
  { does: 'status', status: 500, where: { kind: 'VPC' } },
  { does: 'hang', where: { on: 'list' }, times: 2 },
  { does: 'reset' },
  { does: 'stall', times: 2 },
  { does: 'truncate' },
  { does: 'html' },
];

/** @returns the end of it: resolves when nothing of it is under way any more, with what happened */
export function live(deps: LifeDeps, signal: AbortSignal): Promise<Deeds> {
  const { sql, fabrics, adminSocket, grounds, dice, haste } = deps;
  const { tenants } = grounds;
  const deeds: Deeds = { edits: 0, faults: 0, triggers: 0, watchers: 0, settings: 0, replaced: 0 };
  const any = (): Tenant => tenants[Math.floor(dice.roll() * tenants.length)] as Tenant;
  /** One after the other, for as long as it goes on; what is begun is ended. */
  const keep = async (ms: number, act: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      await nap(ms / haste, signal);
      if (signal.aborted) return;
      await act();
    }
  };
  const fail = async () => {
    const { plot } = any();
    const fault = troubles[Math.floor(dice.roll() * troubles.length)] as Fault;
    const id = await fabrics.setFault(plot, fault);
    deeds.faults += 1;
    await nap(faultLastsMs / haste, signal);
    await fabrics.clearFault(plot, id);
  };
  const watch = async () => {
    const leaving = new AbortController();
    const { over } = await hearDaemon(adminSocket, () => {}, leaving.signal);
    await askDaemon(adminSocket, '/v1/fleet', AbortSignal.timeout(watchLastsMs));
    await nap(watchLastsMs / haste, signal);
    leaving.abort();
    await over;
    deeds.watchers += 1;
  };
  const set = async () => {
    const { name } = any();
    await sql`update fabric set sync_enabled = false where name = ${name}`;
    await nap(pauseMs / haste, signal);
    const seconds = deps.intervalSeconds + (dice.roll() < 0.5 ? 1 : 0);
    await sql`update fabric set sync_enabled = true, sync_interval = ${seconds} where name = ${name}`;
    deeds.settings += 1;
  };
  const replace = async () => {
    const tenant = any();
    await sql`delete from fabric where name = ${tenant.name}`;
    await grounds.enrol(tenant.name);
    deeds.replaced += 1;
  };
  return Promise.all([
    keep(everyMs.edit, async () => {
      deeds.edits += await fabrics.act(any().plot, 'userEdit');
    }),
    keep(everyMs.trigger, async () => {
      const asked = await sql`
        insert into fabric_request (fabric_id, asked_by) select id, 'soak' from fabric where name = ${any().name}`;
      deeds.triggers += asked.count;
    }),
    // Two at a time overlap, as faults do.
    keep(everyMs.fault, fail),
    keep(everyMs.fault * 1.7, fail),
    keep(everyMs.watch, watch),
    keep(everyMs.set, set),
    keep(everyMs.replace, replace),
  ]).then(() => deeds);
}

/** Until the time is over or the life is. */
async function nap(ms: number, signal: AbortSignal): Promise<void> {
  await systemClock.sleep(ms, signal).catch(() => {});
}

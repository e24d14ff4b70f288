// Reads a plan off each row and writes it back where the row does not say so yet.

import { type Plan, type PlanPolicy, plan, planDefault } from '../../machines/fabric/plan.ts';
import type { Clock } from '../clock.ts';
import type { FabricRow, Store } from '../ports/store.ts';

export interface Planned {
  readonly row: FabricRow;
  readonly plan: Plan;
}

export interface Planner {
  /** Pure but for the clock: what this row should be doing. */
  of(row: FabricRow): Plan;
  /**
   * Plans rows and remembers what changed. A row that moved meanwhile is read and planned anew: of two daemons that plan
   * one fabric at once, the second takes the word of the first. Throws `DATABASE_UNAVAILABLE` where it cannot be done.
   */
  remember(rows: readonly FabricRow[]): Promise<readonly Planned[]>;
}

/** Fabrics that become due together are spread over this much time each, up to the most. */
const rampMsPerFabric = 30;
const rampMsMax = 30_000;

/** More rows than this are read anew all at once. */
const singlyMax = 20;

export function createPlanner(
  store: Pick<Store, 'remember' | 'fabric' | 'fabrics'>,
  clock: Clock,
  fleetSize: () => number,
): Planner {
  const policy = (size: number): PlanPolicy => {
    return { ...planDefault, rampMs: size <= 3 ? 0 : Math.min(rampMsMax, size * rampMsPerFabric) };
  };
  const read = async (fabricIds: readonly string[]): Promise<readonly FabricRow[]> => {
    if (fabricIds.length > singlyMax) {
      const wanted = new Set(fabricIds);
      return (await store.fabrics()).filter(({ fabricId }) => wanted.has(fabricId));
    }
    const rows = await Promise.all(fabricIds.map((fabricId) => store.fabric(fabricId)));
    return rows.filter((row) => row !== null);
  };
  return {
    of: (row) => plan(row, clock.nowMs(), policy(fleetSize())),
    async remember(rows) {
      // At the start the fleet is still empty when its rows are planned: they are the fleet.
      const now = policy(Math.max(fleetSize(), rows.length));
      const nowMs = clock.nowMs();
      const planned = rows.map((row) => ({ row, plan: plan(row, nowMs, now) }));
      const news = planned.filter(({ row, plan }) => differs(row, plan));
      if (news.length === 0) return planned;
      const written = new Set(await store.remember(news));
      const moved = new Set(news.map(({ row }) => row.fabricId).filter((fabricId) => !written.has(fabricId)));
      if (moved.size === 0) return planned;
      const anew = (await read([...moved])).map((row) => ({ row, plan: plan(row, nowMs, now) }));
      return [...planned.filter(({ row }) => !moved.has(row.fabricId)), ...anew];
    },
  };
}

/** Whether the row says something other than the plan that was read off it. */
export function differs(row: FabricRow, plan: Plan): boolean {
  if (plan.state === 'idle') return row.state !== 'idle' || row.dueAtMs !== null;
  // A live lease means somebody is running it; its commit writes the row.
  if (plan.why === 'running_elsewhere') return false;
  return row.state !== plan.state || row.dueAtMs !== plan.dueAtMs || row.dueKind !== plan.kind;
}

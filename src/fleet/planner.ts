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
  /** Plans rows and remembers what changed. Throws `DATABASE_UNAVAILABLE` where it can not be remembered. */
  remember(rows: readonly FabricRow[]): Promise<readonly Planned[]>;
}

/** Fabrics that become due together are spread over this much time each, up to the most. */
const rampMsPerFabric = 20;
const rampMsMax = 30_000;

export function createPlanner(store: Pick<Store, 'remember'>, clock: Clock, fleetSize: () => number): Planner {
  const policy = (size: number): PlanPolicy => {
    return { ...planDefault, rampMs: size <= 3 ? 0 : Math.min(rampMsMax, size * rampMsPerFabric) };
  };
  return {
    of: (row) => plan(row, clock.nowMs(), policy(fleetSize())),
    async remember(rows) {
      // At the start the fleet is still empty when its rows are planned: they are the fleet.
      const now = policy(Math.max(fleetSize(), rows.length));
      const nowMs = clock.nowMs();
      const planned = rows.map((row) => ({ row, plan: plan(row, nowMs, now) }));
      const news = planned.filter(({ row, plan }) => differs(row, plan));
      if (news.length > 0) {
        await store.remember(
          news.map(({ row: { fabricId, epoch, intervalMs }, plan }) => ({ fabricId, plan, epoch, intervalMs })),
        );
      }
      return planned;
    },
  };
}

/** Whether the row says something else than the plan that was read off it. */
export function differs(row: FabricRow, plan: Plan): boolean {
  if (plan.state === 'idle') return row.state !== 'idle' || row.dueAtMs !== null;
  // A live lease means somebody is running it; its commit writes the row.
  if (plan.why === 'running_elsewhere') return false;
  return row.state !== plan.state || row.dueAtMs !== plan.dueAtMs || row.dueKind !== plan.kind;
}

// What can happen to a fabric.

import type { DueKind, Plan } from './plan.ts';

export type FabricEvent =
  /** The row was read anew (a start, a settings change, another daemon's commit, `bootstrap`, the sweep). */
  | {
      readonly type: 'PLAN';
      readonly plan: Plan;
      /** The timer of this plan is durable already (armed in bulk), so `arming` is skipped. */
      readonly armed?: boolean;
      /** For people: who or what asked. */
      readonly by?: string;
    }
  /** The durable timer came due, and this daemon claimed it. */
  | {
      readonly type: 'TIMER_DUE';
      readonly kind: DueKind;
      readonly dueAtMs: number;
      readonly traceparent: string | null;
    }
  /** A person asked for a sync now; the request is a row, so an answer can be waited for. */
  | { readonly type: 'SYNC_REQUESTED'; readonly by?: string; readonly traceparents?: readonly string[] }
  /** The lease could not be renewed, or a person force-unlocked the fabric. */
  | { readonly type: 'LEASE_LOST'; readonly reason: string }
  /** Stop the run in hand. */
  | { readonly type: 'CANCEL_REQUESTED'; readonly by: string; readonly code: 'CANCELLED' | 'SHUTDOWN' };

// What the statechart asks of the world, in the statechart's words. The composition root binds each with `provide`.
//
//   R1. A port settles within its own deadline, and gives up when its signal aborts.
//   R2. Whatever a port acquired and could not hand on, it gives back itself.

import type { FailureNote } from './failure.ts';
import type { DueKind, Plan } from './plan.ts';

/** Why a run starts. */
export type Trigger = DueKind | 'manual';

/** The right to run one fabric once, as the database granted it. */
export interface Claim {
  readonly runId: string;
  /** The fencing token: only the newest epoch may commit. */
  readonly epoch: number;
}

export type LockAnswer =
  /** `token` is opaque: the adapter keeps the lease. `degraded` means the database lease alone protects the run. */
  | { readonly kind: 'acquired'; readonly token: string; readonly degraded: boolean }
  | { readonly kind: 'contended'; readonly holder: string | null };

export type ClaimAnswer =
  /** `attempts`: those that failed so far, with one more where it took over from a run that never ended. */
  | { readonly kind: 'claimed'; readonly claim: Claim; readonly attempts: number }
  /** Another daemon's database lease is alive. */
  | { readonly kind: 'contended'; readonly holder: string | null }
  /** The row moved on (another daemon did it, the settings changed): rest as the row says. */
  | { readonly kind: 'superseded'; readonly plan: Plan };

/** How a run that committed ended. All three rest as the plan says; none is a failure. */
export interface RunEnding {
  readonly outcome: 'complete' | 'partial' | 'awaiting_approval';
  readonly plan: Plan;
}

export interface ArmInput {
  readonly fabricId: string;
  readonly kind: DueKind;
  readonly dueAtMs: number;
}

export interface AttemptInput {
  readonly fabricId: string;
  readonly trigger: Trigger;
  /** The due time being served; null for a manual run. */
  readonly servedDueMs: number | null;
}

export interface RunInput extends AttemptInput {
  readonly claim: Claim;
  readonly token: string;
}

/** A run that did not commit, on its way to the row. */
export interface SettleInput {
  readonly fabricId: string;
  /** Where it rests from now on; `scheduled` is for the port to make `idle` of where there is no next tick. */
  readonly rest: 'scheduled' | 'backoff' | 'errored';
  /** `cancelled`: not the fabric's fault, so it rests where it rested before, and nothing is counted. */
  readonly outcome: 'failed' | 'cancelled';
  readonly attempts: number;
  readonly failure: FailureNote;
  readonly claim: Claim;
  readonly token: string;
}

// Durable timers, one a fabric: "the clock". Redis keeps them; without Redis they are kept in memory from the rows.
//
//   T1. A timer has two times: `dueAtMs` (what it was armed for) and, in the store, when it shows next. Claiming hides
//       it for a hold time; it never removes it. Only the next `arm` or `cancel` replaces or removes it.
//   T2. One timer a fabric: arming replaces.
//   T3. Whoever sleeps on the store is woken when an earlier timer is armed by anybody.

import type { DueKind } from '../../machines/fabric/plan.ts';

export interface Timer {
  readonly fabricId: string;
  readonly kind: DueKind;
  /** Epoch milliseconds. */
  readonly dueAtMs: number;
  /** W3C trace context of what armed it, so that a run can link to it across a restart. */
  readonly traceparent: string | null;
}

export interface StoredTimer extends Timer {
  /** When it shows next: `dueAtMs`, or the end of the hold where it is claimed. */
  readonly showsAtMs: number;
}

export interface TimerStore {
  /** Whether other daemons see these very timers. Where they do not, what another daemon armed is not here. */
  readonly shared: boolean;
  /** Arms or replaces. Wakes sleepers if it is now the earliest. */
  arm(timer: Timer): Promise<void>;
  /** Arms many; with `onlyMissing`, a fabric that has a timer keeps it (a live claim of another daemon stays hidden). */
  armMany(timers: readonly Timer[], options: { onlyMissing: boolean }): Promise<{ armed: number }>;
  cancel(fabricId: string): Promise<void>;
  /** Up to `atMost` timers with `showsAtMs <= nowMs`, earliest first, each hidden until `nowMs + holdMs`. */
  claimDue(request: { nowMs: number; holdMs: number; atMost: number }): Promise<readonly Timer[]>;
  /** Keeps a claimed timer hidden until `untilMs`; does nothing where the fabric has none. */
  hold(fabricId: string, untilMs: number): Promise<void>;
  /** When the earliest timer shows, epoch milliseconds; null where there is none. */
  nextMs(): Promise<number | null>;
  /** Every timer, for the sweep and for `status`. Reads in pieces; one that moves meanwhile may be seen either way. */
  all(): Promise<readonly StoredTimer[]>;
  /** Calls back when an earlier timer was armed (by anybody), and when the store came back. Returns "stop listening". */
  onWake(wake: () => void): () => void;
}

// What the program tells of its fabrics so that it can be traced, and the way not to.
//
//   TR1. Where nothing is traced, each of these costs a call and nothing else.
//   TR2. None of them throws or waits: whatever becomes of the traces, a run is not held up.

import type { FabricContext } from '../machines/fabric/context.ts';
import type { Transition } from './transitions.ts';

/** A transition of a fabric's actor. */
export interface TracedTransition extends Transition<FabricContext> {
  readonly fabricId: string;
  readonly name: string;
}

/** How a run that committed ended. */
export interface CommittedRun {
  readonly outcome: 'complete' | 'partial' | 'awaiting_approval';
  /** One line; empty for a complete run. */
  readonly remark: string;
  readonly counts: ObjectCounts;
  readonly requests: number;
  readonly bytesRead: number;
}

export interface ObjectCounts {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  /** Their kind is not read any more. */
  readonly unsynced: number;
  readonly quarantined: number;
}

/** What a person did to a fabric by the inspector's page. */
export interface PersonsAct {
  readonly act: string;
  readonly by: string;
  readonly fabricId: string;
  readonly name: string;
}

/** What one pass of the sweep repaired. */
export interface SweepRepairs {
  readonly why: string;
  /** Epoch milliseconds. */
  readonly startedMs: number;
  readonly interrupted: number;
  readonly resumed: number;
  readonly rearmed: number;
  readonly cancelled: number;
}

export interface Tracing {
  /** A transition happened. `tell` is called once, within its trace: with its id, or null where there is none. */
  transition(told: TracedTransition, tell: (traceId: string | null) => void): void;
  /** Does the work as a part of what the fabric is doing now. */
  within<Answer>(fabricId: string, work: () => Answer): Answer;
  /** W3C trace context of the run or planning in hand; null where there is none. */
  traceparent(fabricId: string): string | null;
  /** The run in hand has committed. */
  committed(fabricId: string, run: CommittedRun): void;
  /** The fabric is gone: whatever was in hand is over. */
  removed(fabricId: string, name: string, from: string): void;
  swept(repairs: SweepRepairs): void;
  /** Does an act as a trace of its own. `work` is given its W3C trace context; null where there is none. */
  acted<Answer>(act: PersonsAct, work: (traceparent: string | null) => Promise<Answer>): Promise<Answer>;
  /** Ends whatever is still open. */
  end(): void;
}

export const noTracing: Tracing = {
  transition: (_, tell) => tell(null),
  within: (_, work) => work(),
  traceparent: () => null,
  committed: () => {},
  removed: () => {},
  swept: () => {},
  acted: (_, work) => work(null),
  end: () => {},
};

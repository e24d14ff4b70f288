// What happens, as it happens, for whoever listens: the admin socket, the demo's table, later the inspector.
// A slow listener is its own problem: `hear` must not block, and a listener that throws is dropped.

import type { FabricState } from '../../machines/fabric/plan.ts';

export type Tiding =
  | {
      readonly type: 'transition';
      readonly fabric: string;
      readonly fabric_id: string;
      readonly at: string;
      readonly event: string;
      readonly from: string;
      readonly to: string;
      readonly state: FabricState;
      /** Who or what caused it, and what is planned where that is news, for people; null where the event says enough. */
      readonly why: string | null;
      readonly run: string | null;
      /** Of the run or planning that it belongs to; null where nothing is traced. */
      readonly trace_id: string | null;
      /** Into `locked` by a timer: how long after its due time, in milliseconds, 0 where a clock was set back; else null. */
      readonly late_ms: number | null;
    }
  | {
      readonly type: 'progress';
      readonly fabric: string;
      readonly fabric_id: string;
      readonly run: string;
      readonly kind: string;
      readonly listed: number;
      readonly done: boolean;
    }
  | {
      readonly type: 'run';
      readonly fabric: string;
      readonly fabric_id: string;
      readonly run: string;
      readonly outcome: string;
      readonly created: number;
      readonly updated: number;
      readonly deleted: number;
      /** Left the inventory because their kinds are not read any more. */
      readonly unsynced: number;
    };

export class Tidings {
  readonly #listeners = new Set<(tiding: Tiding) => void>();

  /** @returns "stop listening" */
  listen(hear: (tiding: Tiding) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  /** Nothing is built where nobody listens. */
  tell(make: () => Tiding): void {
    if (this.#listeners.size === 0) return;
    const tiding = make();
    for (const hear of this.#listeners) {
      try {
        hear(tiding);
      } catch {
        this.#listeners.delete(hear);
      }
    }
  }
}

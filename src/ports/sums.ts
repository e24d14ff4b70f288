// What a run came to, over all of its kinds: counted in one place for its row, its log line, its spans and the metrics.

import type { RunFigures } from './store.ts';

export interface RunSums {
  readonly listed: number;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unsynced: number;
  readonly touched: number;
  readonly quarantined: number;
  /** Listed, and stored already as they are. */
  readonly unchanged: number;
}

export function sumsOf({ kinds }: Pick<RunFigures, 'kinds'>): RunSums {
  const sums = {
    listed: 0,
    created: 0,
    updated: 0,
    deleted: 0,
    unsynced: 0,
    touched: 0,
    quarantined: 0,
    unchanged: 0,
  };
  for (const kind of Object.values(kinds)) {
    sums.listed += kind.listed;
    sums.created += kind.created;
    sums.updated += kind.updated;
    sums.deleted += kind.deleted;
    sums.unsynced += kind.unsynced ?? 0;
    sums.touched += kind.touched;
    sums.quarantined += kind.quarantined;
    sums.unchanged += Math.max(0, kind.listed - kind.created - kind.updated - kind.quarantined);
  }
  return sums;
}

// What a run did to the inventory, in figures.

import type { RunView } from '../inspector/view.ts';

type Counts = Pick<RunView, 'created' | 'updated' | 'deleted' | 'unsynced'>;

/** Of a terminal: from here on there is room for a word beside the figures. */
const columnsWide = 110;

/**
 * Created, updated, deleted; and what left because its kind is not read any more, where something did.
 * @param columns of the terminal: a narrow one gets the three figures alone
 */
export function countsText({ created, updated, deleted, unsynced }: Counts, columns = columnsWide): string {
  return `${created}/${updated}/${deleted}${unsynced > 0 && columns >= columnsWide ? ` ${unsynced} unsynced` : ''}`;
}

/** The same for the last run of a fabric; null where there was none, or it failed. */
export function lastCountsText(run: RunView | null, columns?: number): string | null {
  return run && run.outcome !== 'failed' ? countsText(run, columns) : null;
}

/** The same in a sentence. */
export function changesText({ created, updated, deleted, unsynced }: Counts): string {
  return `${created} created, ${updated} updated, ${deleted} deleted${unsyncedText(unsynced)}`;
}

/** Goes on after the other figures; empty where nothing left so. */
export function unsyncedText(unsynced: number): string {
  return unsynced > 0 ? `, ${unsynced} no longer synced` : '';
}

// `status --watch`: the whole drawn again on a terminal, a line a change elsewhere.

import type { FabricView, StatusView } from '../inspector/view.ts';
import { lastCountsText } from './counts-text.ts';
import { plain } from './plain-text.ts';
import { short } from './status-text.ts';

/**
 * Home, the lines with the rest of each cleared, and the rest of the screen: nothing flickers.
 * @param rows of the terminal: what does not fit is counted instead of scrolled
 */
export function redraw(lines: readonly string[], rows: number): string {
  const shown = lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more lines`];
  return `\u001b[H${shown.map((line) => `${line}\u001b[K\r\n`).join('')}\u001b[J`;
}

/** An own screen without a cursor, and back: what stood on the terminal before is there again afterwards. */
export const screen = { enter: '\u001b[?1049h\u001b[?25l', leave: '\u001b[?25h\u001b[?1049l' };

/** What is different since the last look, a line each. The first look tells every fabric. */
export function changeLines(before: StatusView | null, now: StatusView): string[] {
  const was = new Map(before?.fabrics.map((fabric) => [fabric.id, fabric]));
  const lines = [
    ...partChange('Postgres', before?.postgres.answers, now.postgres.answers),
    ...partChange('Redis', before && before.redis.state !== 'unavailable', now.redis.state !== 'unavailable'),
    ...partChange('the daemon', before?.daemon.answers, now.daemon.answers),
    ...now.fabrics.flatMap((fabric) => fabricChange(was.get(fabric.id), fabric)),
  ];
  const present = new Set(now.fabrics.map((fabric) => fabric.id));
  // Without Postgres the list is not the truth, and nothing may be called gone.
  if (now.postgres.answers) {
    for (const fabric of was.values()) if (!present.has(fabric.id)) lines.push(`${plain(fabric.name)}: removed`);
  }
  return lines.map((line) => `${short(now.at)} ${line}`);
}

function partChange(name: string, before: boolean | null | undefined, now: boolean): string[] {
  if (before === now || (before == null && now)) return [];
  return [`${name} ${now ? 'answers again' : 'does not answer'}`];
}

function fabricChange(was: FabricView | undefined, now: FabricView): string[] {
  const same =
    was?.state === now.state &&
    was.reason === now.reason &&
    was.sync_status === now.sync_status &&
    was.sync_error === now.sync_error &&
    was.last_run?.id === now.last_run?.id;
  if (same) return [];
  const parts = [
    was && was.state !== now.state ? `${was.state} → ${now.state}` : now.state,
    ...(now.reason ? [now.reason] : []),
    ...(now.sync_status ? [now.sync_status] : []),
    ...(now.last_run && was?.last_run?.id !== now.last_run.id
      ? [`run ${now.last_run.id} ${now.last_run.outcome}${counts(now)}`]
      : []),
    ...(now.sync_error === '' ? [] : [now.sync_error]),
  ];
  return [`${plain(now.name)}: ${plain(parts.join(', '))}`];
}

function counts({ last_run }: FabricView): string {
  const text = lastCountsText(last_run);
  return text ? ` ${text}` : '';
}

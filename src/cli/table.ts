// Columns of plain text.
//
//   C1. Cells are data: each is made plain before it is measured, so nothing in it can steer the terminal.
//   C2. A table never gets wider than it is told: columns that may shrink are cut, the widest first; where that is not
//       enough the row is cut at the edge.
//   C3. The last column is not padded: a line has no trailing blanks.

import type { Colour, Paint } from './colours.ts';
import { cut, displayWidth, plain } from './plain-text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be cut down to this many columns where the terminal is narrow; without it the column keeps its width. */
  readonly widthMin?: number;
}

export type Cell = string | number | null | { readonly text: string; readonly colour: Colour };

const gap = '  ';

/** @param widthMax columns of the terminal; null: no limit, as into a pipe. @returns lines without line ends */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: { readonly widthMax: number | null; readonly paint: Paint },
): string[] {
  const titles = columns.map((column) => column.title);
  const texts = [titles, ...rows.map((row) => columns.map((_, index) => textOf(row[index] ?? null)))];
  const widths = shrink(
    columns,
    columns.map((_, index) => Math.max(...texts.map((row) => displayWidth(row[index] ?? '')))),
    options.widthMax,
  );
  return texts.map((row, line) => {
    let left = options.widthMax ?? Number.POSITIVE_INFINITY;
    const cells = columns.map((column, index) => {
      const width = Math.min(widths[index] ?? 0, Math.max(0, left));
      left -= width + gap.length;
      const text = cut(row[index] ?? '', width);
      const padding = ' '.repeat(width - displayWidth(text));
      const colour = line === 0 ? 'dim' : colourOf(rows[line - 1]?.[index] ?? null);
      const painted = colour ? options.paint(colour, text) : text;
      if (column.align === 'right') return padding + painted;
      return index === columns.length - 1 ? painted : painted + padding;
    });
    return cells.join(gap).trimEnd();
  });
}

function textOf(cell: Cell): string {
  if (cell === null) return '-';
  return plain(typeof cell === 'object' ? cell.text : String(cell));
}

function colourOf(cell: Cell): Colour | null {
  return cell !== null && typeof cell === 'object' ? cell.colour : null;
}

function shrink(columns: readonly Column[], natural: readonly number[], widthMax: number | null): number[] {
  const widths = [...natural];
  if (widthMax === null) return widths;
  let over = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - widthMax;
  while (over > 0) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      const width = widths[index] ?? 0;
      if (column.widthMin === undefined || width <= column.widthMin) continue;
      if (widest < 0 || width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over -= 1;
  }
  return widths;
}

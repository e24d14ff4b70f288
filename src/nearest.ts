// The word that was probably meant.

/**
 * The candidate with the fewest slips (Levenshtein distance, case ignored) from `word`; null where none is near enough to
 * be a slip of the same word, that is more than a third of its letters away.
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let slipsMin = Math.max(1, Math.floor(word.length / 3)) + 1;
  const letters = [...word].length;
  for (const candidate of candidates) {
    // Each letter that one of them has more is a slip: nothing that is far too long is compared letter by letter.
    if (Math.abs(letters - [...candidate].length) >= slipsMin) continue;
    const slips = slipsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (slips < slipsMin) [best, slipsMin] = [candidate, slips];
  }
  return best;
}

function slipsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

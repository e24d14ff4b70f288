// What a search finds: every word of it must stand somewhere in what is shown. Pure.

/** @param {string} search */
export function wordsOf(search) {
  return search.toLowerCase().split(/\s+/).filter(Boolean);
}

/** @param {readonly string[]} texts @param {readonly string[]} words */
export function hasWords(texts, words) {
  const text = texts.join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

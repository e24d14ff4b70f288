// Spans in the order in which a waterfall shows them: each below its parent, siblings by their start. Pure, and total:
// a span whose parent is not kept stands at the top, and parents that go in a circle lose none of their spans.

/** @import { SpanDocument } from '../documents.ts' */

/** @typedef {{ span: SpanDocument, depth: number }} SpanRow */

/** @param {readonly SpanDocument[]} spans @returns {SpanRow[]} */
export function spanRows(spans) {
  const known = new Set(spans.map(({ span_id }) => span_id));
  /** @type {Map<string | null, SpanDocument[]>} */
  const below = new Map();
  for (const span of [...spans].sort((one, other) => one.start_ms - other.start_ms)) {
    const parent = span.parent_span_id !== null && known.has(span.parent_span_id) ? span.parent_span_id : null;
    below.set(parent, [...(below.get(parent) ?? []), span]);
  }
  /** @type {SpanRow[]} */
  const rows = [];
  const shown = new Set();
  const walk = (/** @type {readonly SpanDocument[]} */ siblings, /** @type {number} */ depth) => {
    for (const span of siblings) {
      if (shown.has(span.span_id)) continue;
      shown.add(span.span_id);
      rows.push({ span, depth });
      walk(below.get(span.span_id) ?? [], depth + 1);
    }
  };
  walk(below.get(null) ?? [], 0);
  walk(spans, 0);
  return rows;
}

// What a statement does to which tables, read off its text: `INSERT fabric_run UPDATE fabric_cycle`. The summary of
// https://opentelemetry.io/docs/specs/semconv/database/database-spans/ is made so: operations and targets, in their order.

export interface Summary {
  /** The first of its operations: `UPDATE`. */
  readonly operation: string;
  readonly summary: string;
  /** Without comments, on one line, cut where it is very long. */
  readonly text: string;
}

const textMax = 255;
const summaryMax = 255;
/** There are some fifty statements; each may come in a few forms. */
const knownMax = 500;
const known = new Map<string, Summary>();

/** @param statement as the server gets it, with `$1` in the place of values */
export function summaryOf(statement: string): Summary {
  const before = known.get(statement);
  if (before) return before;
  const found = read(statement);
  if (known.size >= knownMax) known.clear();
  known.set(statement, found);
  return found;
}

const writes = /(?<!\bkey )(?<!\bdo )\b(insert into|update|delete from|copy)\s+(?:only\s+)?([a-z_][\w.]*)/gi;

function read(statement: string): Summary {
  const flat = statement
    .replace(/--[^\n]*/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const text = flat.length <= textMax ? flat : `${flat.slice(0, textMax - 1)}…`;
  const parts = [...flat.matchAll(writes)].map(([, verb = '', table = '']) => {
    const operation = verb.split(' ')[0]?.toUpperCase() ?? '';
    return { operation, target: table.replace(/^pg_temp\./, '') };
  });
  if (parts.length === 0) parts.push(readOnly(flat));
  const summary = parts.map(({ operation, target }) => `${operation} ${target}`.trim()).join(' ');
  return { operation: parts[0]?.operation ?? '', summary: summary.slice(0, summaryMax), text };
}

function readOnly(flat: string): { operation: string; target: string } {
  const first = /^[a-z]+/i.exec(flat)?.[0].toUpperCase() ?? 'UNKNOWN';
  if (first !== 'SELECT' && first !== 'WITH') return { operation: first, target: '' };
  // Of a name that a `with` made nothing is known outside of the statement.
  const made = new Set([...flat.matchAll(/\b([a-z_]\w*) as (?:materialized )?\(/gi)].map(([, name]) => name));
  const tables = [...flat.matchAll(/\bfrom ([a-z_]\w*)(?![\w(])/gi)].map(([, name = '']) => name);
  return { operation: 'SELECT', target: tables.find((name) => !made.has(name)) ?? '' };
}

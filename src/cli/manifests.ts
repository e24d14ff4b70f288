import { Document, visit } from 'yaml';

/**
 * Objects as a `List`: one document, which `kubectl` and every YAML reader take whole. Keys are in order and JSON is
 * indented, as kubectl prints them. What is read back is equal to what was given.
 */
export function manifestsText(objects: readonly object[], form: 'json' | 'yaml'): string {
  const list = inOrder({ apiVersion: 'v1', kind: 'List', items: objects });
  if (form === 'json') return `${JSON.stringify(list, null, 2)}\n`;
  const document = new Document(list, { aliasDuplicateObjects: false });
  visit(document, {
    // A reader of YAML 1.1 (kubectl is one) takes words and numbers of its own for other things than text.
    Scalar(_key, node) {
      if (typeof node.value === 'string' && readOtherwise.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Plain in YAML 1.2 and no text in YAML 1.1: booleans, octal, hexadecimal, sexagesimal and grouped numbers, dates. */
const readOtherwise = /^(?:y|n|yes|no|on|off|true|false|null|~|[-+.\d][-+.\d_:eExXoObBa-fA-FT ZtW]*|=|<<)$/i;

/** The same with the keys of every map in order; Postgres gives them back in an order of its own. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  // `fromEntries` defines what it is given: a key named `__proto__` is a key like any other.
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}

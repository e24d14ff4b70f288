import { Document, visit } from 'yaml';

/**
 * Objects as a `List`: one document, which `kubectl` and every YAML reader take whole. JSON is indented, as kubectl's.
 * What is read back is equal to what was given.
 */
export function manifestsText(objects: readonly object[], form: 'json' | 'yaml'): string {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
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

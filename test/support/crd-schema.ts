// Checks objects against the structural schemas of real CRDs, as strictly as an API server: what it would refuse or drop
// is a problem here. Only what these CRDs use is known; anything else in a schema throws, so that nothing passes unread.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

const known = new Set([
  'type',
  'properties',
  'additionalProperties',
  'items',
  'required',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'format',
  'default',
  'nullable',
  'description',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
]);

export interface Crd {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly version: string;
  readonly columns: readonly { name: string; type: string; jsonPath: string; priority?: number }[];
  /** What is wrong with an object, one line each. */
  problems(object: Readonly<Record<string, unknown>>): string[];
}

/** Every CRD in a folder of YAML files, by `<group>/<version> <kind>`. */
export function readCrds(folder: string): Map<string, Crd> {
  const crds = new Map<string, Crd>();
  // The body of a skipped `describe` runs all the same.
  if (!existsSync(folder)) return crds;
  for (const name of readdirSync(folder)) {
    const { spec } = parse(readFileSync(join(folder, name), 'utf8'));
    for (const version of spec.versions) {
      const { kind, plural, singular, shortNames = [], categories = [] } = spec.names;
      const schema: Schema = version.schema.openAPIV3Schema;
      crds.set(`${spec.group}/${version.name} ${kind}`, {
        group: spec.group,
        kind,
        plural,
        singular,
        shortNames,
        categories,
        version: version.name,
        columns: version.additionalPrinterColumns ?? [],
        problems: ({ apiVersion: _, kind: __, metadata: ___, ...content }) => {
          const { apiVersion: _a, kind: _k, metadata: _m, ...properties } = schema.properties ?? {};
          const required = (schema.required ?? []).filter((field) => field !== 'metadata');
          return problemsOf(content, { type: 'object', properties, required }, '');
        },
      });
    }
  }
  return crds;
}

function problemsOf(value: unknown, schema: Schema, path: string): string[] {
  const strange = Object.keys(schema).find((key) => !known.has(key));
  if (strange) throw new Error(`the schema of ${path} uses ${strange}, which this check does not know`);
  // A real server drops a null where the field may not be null.
  if (value === null || value === undefined) return [];
  const wrong = (what: string) => [`${path || '.'} ${what}`];
  if (!isOfType(value, schema.type)) return wrong(`is ${JSON.stringify(value)}, not ${schema.type}`);
  if (schema.enum && !schema.enum.includes(value)) return wrong(`is ${JSON.stringify(value)}, not in ${schema.enum}`);
  if (typeof value === 'string') {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
      return wrong(`${value} !~ ${schema.pattern}`);
    if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) return wrong('is too long');
    if (value.length < (schema.minLength ?? 0)) return wrong('is too short');
  }
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? Number.NEGATIVE_INFINITY)) return wrong(`${value} is below ${schema.minimum}`);
    if (value > (schema.maximum ?? Number.POSITIVE_INFINITY)) return wrong(`${value} is above ${schema.maximum}`);
  }
  if (Array.isArray(value)) {
    const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
    if (value.length < minItems || value.length > maxItems) return wrong(`has ${value.length} items`);
    return items ? value.flatMap((item, index) => problemsOf(item, items, `${path}[${index}]`)) : [];
  }
  if (typeof value !== 'object') return [];
  const absent = (schema.required ?? []).filter((field) => !Object.hasOwn(value, field));
  return [
    ...absent.map((field) => `${path}.${field} is required`),
    ...Object.entries(value).flatMap(([key, field]) => {
      const own = schema.properties?.[key] ?? schema.additionalProperties;
      if (own) return problemsOf(field, own, `${path}.${key}`);
      return schema['x-kubernetes-preserve-unknown-fields'] ? [] : [`${path}.${key} is unknown and would be dropped`];
    }),
  ];
}

function isOfType(value: unknown, type: string | undefined): boolean {
  switch (type) {
    case undefined:
      return true;
    case 'integer':
      return Number.isInteger(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

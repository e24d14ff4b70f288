// What an object says of itself, vetted: only what can be a key, a column and a time of PostgreSQL gets past.

import { oneLine } from '../../machines/fabric/failure.ts';
import type { KubeObject, ServedKind } from '../ports/fabric-api.ts';
import { asRecord, flawOf } from './clean.ts';

export interface Identity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number | null;
  readonly creationTimestamp: string | null;
}

// RFC 1123 subdomains, as the API server checks the names of custom resources.
const nameFormat = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const opaqueFormat = /^[\x21-\x7e]{1,253}$/;
const timeFormat =
  /^(?!0000)(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;
const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** @returns the identity, or in words what is wrong with it */
export function identityOf(object: KubeObject, of: ServedKind, namespace: string): Identity | string {
  const { kind, apiVersion } = object;
  if (kind !== undefined && kind !== of.kind) return `it is of kind ${quoted(kind)}, in a list of ${of.kind}`;
  const expected = of.group === '' ? of.version : `${of.group}/${of.version}`;
  if (apiVersion !== undefined && apiVersion !== expected) {
    return `its apiVersion is ${quoted(apiVersion)}, in a list of ${expected}`;
  }
  const metadata = asRecord(object.metadata);
  if (!metadata) return 'it has no metadata';
  const { name, uid, resourceVersion, generation, creationTimestamp } = metadata;
  if (typeof name !== 'string' || name === '') return 'it has no name';
  if (name.length > 253) return `its name has ${name.length} characters, more than 253`;
  if (!nameFormat.test(name)) return flawOf(name) ?? 'its name is not one that Kubernetes allows';
  if ((metadata.namespace ?? '') !== namespace) {
    return `its namespace is ${quoted(metadata.namespace)}, in a list of ${namespace === '' ? 'none' : namespace}`;
  }
  if (typeof uid !== 'string' || !opaqueFormat.test(uid)) return 'it has no usable uid';
  if (typeof resourceVersion !== 'string' || !opaqueFormat.test(resourceVersion)) {
    return 'it has no usable resourceVersion';
  }
  if (generation !== undefined && generation !== null && !isCount(generation)) return 'its generation is not a number';
  if (creationTimestamp !== undefined && creationTimestamp !== null && !isTime(creationTimestamp)) {
    return 'its creationTimestamp is not a time';
  }
  return {
    name,
    namespace,
    uid,
    resourceVersion,
    generation: generation ?? null,
    creationTimestamp: creationTimestamp ?? null,
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** An RFC 3339 time that PostgreSQL takes: the calendar is checked, leap seconds are not among them. */
function isTime(value: unknown): value is string {
  const parts = typeof value === 'string' ? timeFormat.exec(value) : null;
  if (!parts) return false;
  const [year, month, day] = parts.slice(1).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (daysOfMonth[month - 1] ?? 0) && (month !== 2 || day < 29 || leap);
}

/** A stranger's value in a sentence: one line, short, storable. */
function quoted(value: unknown): string {
  if (typeof value !== 'string') return value === undefined || value === null ? 'missing' : `a ${typeof value}`;
  return JSON.stringify(oneLine(value, 80).toWellFormed());
}

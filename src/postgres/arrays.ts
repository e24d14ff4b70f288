// The arrays that our statements take and give, told to the driver beforehand.
//
//   AR1. Left alone the driver asks each new connection what arrays there are, and a server that ends in that moment rejects
//        a promise that nobody can hear: the process would end with it.
//       So a statement says of each array whether it is `text[]` or `bigint[]`.
//   AR2. Elements are texts: a `bigint` has more digits than a number of ours.

import type { PostgresType } from 'postgres';

/** Object identifiers that are the same in every Postgres. */
const oids = { text: 1009, bigint: 1016 };

const element = /"((?:[^"\\]|\\.)*)"|([^",{}]+)/gs;

/** @param text one dimension, as Postgres writes it: `{a,"b, c",NULL}` */
export function parseArray(text: string): readonly (string | null)[] {
  return [...text.matchAll(element)].map(([, quoted, bare = '']) => {
    if (quoted !== undefined) return quoted.replace(/\\(.)/gs, '$1');
    return bare === 'NULL' ? null : bare;
  });
}

/** @param given an array, or what is written as one already */
export function writeArray(given: unknown): unknown {
  if (!Array.isArray(given)) return given;
  const elements = given.map((one: unknown) => (one === null ? 'NULL' : `"${String(one).replace(/["\\]/g, '\\$&')}"`));
  return `{${elements.join(',')}}`;
}

const typed = (oid: number): PostgresType => ({ to: oid, from: [oid], serialize: writeArray, parse: parseArray });

export const arrayTypes = { textArray: typed(oids.text), bigintArray: typed(oids.bigint) };

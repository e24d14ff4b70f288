// A fabric knows the token by which we log in, and may say it back where what it says goes into sentences, keys and paths.
//
//   E1. A name that has the token in it is no name, and a uid is no uid.
//   E2. Of objects this holds for what they go by. Their content is theirs, and is stored as it is.

import type { KubeObject } from '../ports/fabric-api.ts';
import type { Scrub } from './answers.ts';
import { asObject, type Json } from './body.ts';

const objectGoesBy = ['apiVersion', 'kind'] as const;
const metadataGoesBy = ['name', 'namespace', 'uid', 'resourceVersion'] as const;

/** Opaque, as the uids of objects are. */
const uidFormat = /^[\x21-\x7e]{1,253}$/;

/** Null where it cannot be a uid. */
export function uidOf(value: unknown, scrub: Scrub): string | null {
  return typeof value === 'string' && uidFormat.test(value) && scrub(value) === value ? value : null;
}

/** The object itself, or a copy that has the token in nothing that it goes by. */
export function withoutToken(object: KubeObject, scrub: Scrub): KubeObject {
  const metadata = asObject(object.metadata);
  const cleanMetadata = metadata && scrubbed(metadata, metadataGoesBy, scrub);
  const clean = scrubbed(object, objectGoesBy, scrub);
  if (cleanMetadata === metadata) return clean;
  return replaced(clean, [['metadata', cleanMetadata]]);
}

function scrubbed(of: Json, keys: readonly string[], scrub: Scrub): Json {
  const changed = keys.flatMap((key): [string, string][] => {
    const value = of[key];
    if (typeof value !== 'string') return [];
    const clean = scrub(value);
    return clean === value ? [] : [[key, clean]];
  });
  return changed.length === 0 ? of : replaced(of, changed);
}

/** A copy by which a key such as `__proto__` is one like any other. */
function replaced(of: Json, values: readonly (readonly [string, unknown])[]): Json {
  return Object.fromEntries([...Object.entries(of), ...values]);
}

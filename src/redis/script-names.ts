// What each script that is sent to Redis is called, by its text and by its hash: for whoever tells what was sent.

import { createHash } from 'node:crypto';

const names = new Map<string, string>();

/** @returns the text, as it was given */
export function named(name: string, lua: string): string {
  names.set(lua, name);
  names.set(createHash('sha1').update(lua).digest('hex'), name);
  return lua;
}

/** @param textOrHash as it stands in the command; null where it is no script of this program */
export function scriptName(textOrHash: string): string | null {
  return names.get(textOrHash) ?? null;
}

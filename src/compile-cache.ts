// What Node makes of the program's files is kept on the disk: loading them takes most of a start, and more than half of that
// can be had from there.
//
//   C1. What lies there is run. So it lies where nobody else can write: in a folder of this very user, never in the one for
//       temporary files that Node would choose.
//   C2. Where it cannot be had, the program starts as it would without.

import { mkdirSync, statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';

export interface CacheOwner {
  readonly uid: number;
  /** As the system knows it: `HOME` may be somebody else's, under sudo for one. */
  readonly home: string;
}

/**
 * To be called once, before the program is loaded. `NODE_DISABLE_COMPILE_CACHE` turns it off, `NODE_COMPILE_CACHE` says
 * another folder.
 * @returns the folder that is used, or null
 */
export function keepCompiled(env: NodeJS.ProcessEnv, owner: CacheOwner | null): string | null {
  if (env.NODE_COMPILE_CACHE) return env.NODE_COMPILE_CACHE;
  if (owner === null) return null;
  const folder = folderOf(env, owner);
  if (!isAbsolute(folder)) return null;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    if (uid !== owner.uid || (mode & 0o022) !== 0) return null;
    return enableCompileCache(folder).directory ?? null;
  } catch {
    return null;
  }
}

/** systemd's word goes before XDG's, and that before the usual place. What is no whole path is not for use. */
function folderOf(env: NodeJS.ProcessEnv, owner: CacheOwner): string {
  const given = env.CACHE_DIRECTORY?.split(':')[0];
  if (given) return join(given, 'compiled');
  return join(env.XDG_CACHE_HOME || join(owner.home, '.cache'), 'fabric-syncd', 'compiled');
}

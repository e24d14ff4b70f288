import { type Config, readConfig } from '../config.ts';
import { readSystemdCredential } from '../host-credentials.ts';
import type { World } from './world.ts';

/** The configuration of this call. @throws ConfigProblems with every problem */
export function configured(world: World): Config {
  return readConfig(world.env, readSystemdCredential);
}

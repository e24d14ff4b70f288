// A package of Debian's, installed where that may be: for what neither npm nor the path has.

import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface DebianPackageOptions {
  /** Milliseconds for all of it: lists, download, unpacking. */
  readonly withinMs: number;
  /** Hears why it could not be installed. */
  readonly say: (line: string) => void;
}

/** May packages be installed here: are we root, and is there an `apt-get`? */
export async function mayInstallDebianPackages(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  try {
    await run('apt-get', ['--version'], { timeout: 5_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * Installs a package with what it needs and no more, and without starting a service of its own: the answer 101 of
 * `policy-rc.d` forbids that (Debian Policy 9.3.3).
 *
 * @returns whether it is there now
 */
export async function installDebianPackage(name: string, { withinMs, say }: DebianPackageOptions): Promise<boolean> {
  const policy = '/usr/sbin/policy-rc.d';
  const signal = AbortSignal.timeout(withinMs);
  const apt = (...args: string[]) =>
    run(
      'env',
      [
        'DEBIAN_FRONTEND=noninteractive',
        'apt-get',
        ...['-qq', '-o', 'DPkg::Lock::Timeout=60', '-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20'],
        ...args,
      ],
      { signal, maxBuffer: 16 * 1024 * 1024 },
    );
  const ourPolicy = await writeFile(policy, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 }).then(
    () => true,
    () => false,
  );
  try {
    // The lists of a fresh container are empty, and those of an old one name files that are gone.
    await apt('update');
    await apt('install', '--yes', '--no-install-recommends', name);
    return true;
  } catch (cause) {
    const why = signal.aborted ? `it took longer than ${withinMs / 1000} s` : lastLine(cause);
    say(`Debian’s ${name} could not be installed: ${why}`);
    return false;
  } finally {
    if (ourPolicy) await rm(policy, { force: true });
  }
}

function lastLine(cause: unknown): string {
  const { stderr, message } = cause as { stderr?: string; message?: string };
  return (stderr?.trim() || message || 'unknown').split('\n').at(-1) ?? 'unknown';
}

// PostgreSQL refuses to run as root, so root starts it as somebody else.
//
//   U1. The server ends when its parent does, even by SIGKILL, where `setpriv` can be had (any Debian).
//   U2. A folder below one that is closed to others (a checkout in /root) stays reachable: the server then keeps the one
//       capability for it, and only then.

import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { NotStarted } from './not-started.ts';

const run = promisify(execFile);

/** Who a server runs as; null is this process's own user. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Somebody to run a server as: null where this process is not root and may do it itself. */
export async function serverAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, name], { timeout: 10_000 })));
      if (uid && gid) return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // The next one may exist.
    }
  }
  throw new NotStarted(
    'PostgreSQL does not run as root and neither user "postgres" nor "nobody" exists: set DATABASE_URL.',
  );
}

export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  /** For `spawn`, where `setpriv` is absent. */
  readonly uid?: number;
  readonly gid?: number;
}

/** @param reaches every path the program opens: programs and folders */
export async function asAccount(
  account: Account | null,
  reaches: readonly string[],
  command: string,
  args: readonly string[],
): Promise<CommandLine> {
  const setpriv = await firstExecutable(['/usr/bin/setpriv', '/bin/setpriv']);
  if (setpriv === null) return { command, args, ...(account && { uid: account.uid, gid: account.gid }) };
  const identity = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  const closed = account !== null && (await Promise.all(reaches.map(isBehindClosedFolder))).includes(true);
  // Without the bit access(2) answers as if there were no capability, and PostgreSQL asks it about its own programs.
  const capability = closed
    ? ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override']
    : [];
  return { command: setpriv, args: [...identity, ...capability, '--pdeathsig=INT', '--', command, ...args] };
}

async function firstExecutable(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return null;
}

async function isBehindClosedFolder(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return true;
    if (folder === dirname(folder)) return false;
  }
}

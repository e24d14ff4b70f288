#!/usr/bin/env node
// The entry: the one file that touches `process`. It builds the world that the program runs in, and ends the process
// with what the program came to.

import { hostname, type UserInfo, userInfo } from 'node:os';
import { exitCodes } from './cli/exit-codes.ts';
import type { World } from './cli/world.ts';
import { systemClock } from './clock.ts';
import { type CacheOwner, keepCompiled } from './compile-cache.ts';
import { systemDice } from './dice.ts';

// Said before anything is loaded that an older Node would stumble over with words that help nobody.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`fabric-syncd needs Node 22.18 or newer; this is Node ${process.versions.node}\n`);
  process.exit(exitCodes.usage.code);
}

const world: World = {
  argv: process.argv.slice(2),
  entry: process.argv[1] ?? '',
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  isTerminal: {
    stdin: process.stdin.isTTY === true,
    stdout: process.stdout.isTTY === true,
    stderr: process.stderr.isTTY === true,
  },
  // A terminal that does not know its width says 0.
  columns: () => (process.stdout.isTTY ? process.stdout.columns || 80 : null),
  clock: systemClock,
  dice: systemDice,
  hostname: hostname(),
  user: userName(),
  pid: process.pid,
  onSignal(signal, act) {
    process.on(signal, act);
    return () => process.off(signal, act);
  },
  exitNow: (code) => process.exit(code),
};

// By itself Node would open its debugger, which any user of this host can attach to and read every secret. To other
// daemons this signal says that a log was rotated.
process.on('SIGUSR1', () => {});

keepCompiled(process.env, cacheOwner());
const { runProgram } = await import('./cli/program.ts');
const code = await runProgram(world);
// What is still buffered towards a pipe is written before the end; a socket that somebody forgot does not hold us up.
process.exitCode = code;
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));

function userName(): string {
  return listedUser()?.username ?? `uid-${process.getuid?.() ?? 'unknown'}`;
}

function cacheOwner(): CacheOwner | null {
  const uid = process.getuid?.();
  return uid === undefined ? null : { uid, home: listedUser()?.homedir ?? '/' };
}

/** Null where the system has no such user in its list: one of a container need not stand there. */
function listedUser(): UserInfo<string> | null {
  try {
    return userInfo();
  } catch {
    return null;
  }
}

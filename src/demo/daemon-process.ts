// The daemon as a process of its own: the same program, started as systemd would.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';

export interface DaemonProcess {
  readonly pid: number;
  /** Resolves with the exit code or the signal when it has ended, for whatever reason. */
  readonly ended: Promise<number | string>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL where that is not enough within the deadline. */
  stop(): Promise<void>;
  /** The last lines that it logged. */
  lastLines(count: number): Promise<string>;
}

export interface DaemonProcessOptions {
  /** The program's entry file, as this process itself was started with. */
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
  /** Standard output and error go here. */
  readonly logFile: string;
  readonly clock: Clock;
  readonly stopMsMax?: number;
}

/**
 * Node's flags for the daemon, as the systemd unit has them. V8 lets young objects take 32 MiB in each of three parts before
 * it looks which are alive; what a sync makes is soon gone, and 8 MiB halve the memory of a daemon with many fabrics.
 */
export const daemonNodeFlags: readonly string[] = ['--max-semi-space-size=8'];

/**
 * What the daemon's environment adds, as the systemd unit has it. glibc gives threads parts of memory of their own, up to
 * eight a core, and none of them gives back what another could use.
 */
export const daemonEnvironment: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '2' };

export async function startDaemonProcess(options: DaemonProcessOptions): Promise<DaemonProcess> {
  const log = await open(options.logFile, 'w', 0o600);
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...daemonNodeFlags, options.main, 'run'], {
      env: { ...daemonEnvironment, ...options.env },
      stdio: ['ignore', log.fd, log.fd],
      // Ctrl-C in the terminal reaches the whole process group: whoever started it ends it, in order.
      detached: true,
    });
    await once(child, 'spawn');
  } finally {
    await log.close();
  }
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal ?? 'unknown') as number | string);
  let over = false;
  ended.then(
    () => {
      over = true;
    },
    () => {},
  );
  return {
    pid: child.pid ?? 0,
    ended,
    signal: (name) => child.kill(name),
    async stop() {
      if (over) return;
      child.kill('SIGTERM');
      const stopTimer = options.clock.after(options.stopMsMax ?? 45_000, () => child.kill('SIGKILL'));
      await ended;
      stopTimer();
    },
    async lastLines(count) {
      const text = await readFile(options.logFile, 'utf8').catch(() => '');
      return text.trimEnd().split('\n').slice(-count).join('\n');
    },
  };
}

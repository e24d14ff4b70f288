// The program on a real terminal of 80x24 (a pseudo-terminal of util-linux's `script`): keys in, the screen out.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { vi } from 'vitest';
import { type Environment, entry, eventually } from './daemon.ts';

/** Null where there is none. */
export const scriptPath: string | null = ['/usr/bin/script', '/bin/script'].find(isExecutable) ?? null;

/** For the title of what is skipped without it. */
export const needsTerminal = scriptPath ? '' : ' (skipped: no `script`; apt-get install -y bsdutils)';

export interface Terminal {
  /** The program's own process. */
  readonly pid: number;
  /** All that was written, escapes and all. */
  output(): string;
  /** The lines of the last whole drawing, without escapes. */
  screen(): readonly string[];
  /** Resolves when this is on the screen. */
  shows(wanted: RegExp): Promise<void>;
  press(keys: string): void;
  /** Resolves when the program has ended: its exit code, and how the terminal is then, as `stty -a` tells it. */
  ended(): Promise<{ readonly code: number; readonly stty: string }>;
  /** Ends whatever is left. */
  close(): void;
}

/** Runs a verb there. A shell around it tells the exit code, and what was left of the terminal. */
export async function onTerminal(env: Environment, ...argv: readonly string[]): Promise<Terminal> {
  if (scriptPath === null) throw new Error('there is no `script` here');
  const program = [process.execPath, entry, ...argv].map((word) => `'${word}'`).join(' ');
  const child = spawn(
    scriptPath,
    [
      '-qec',
      `stty rows 24 cols 80; sh -c 'echo "pid=$$"; exec "$@"' sh ${program}; echo "code=$?"; stty -a`,
      '/dev/null',
    ],
    { env: { PATH: process.env.PATH, TERM: 'xterm-256color', SHELL: '/bin/sh', USER: 'ann', ...env } },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  // Keys for one that has ended.
  child.stdin.on('error', () => {});
  const closed = once(child, 'close');
  const pid = await vi.waitFor(() => {
    const found = /pid=(\d+)\r/.exec(output)?.[1];
    if (found === undefined) throw new Error(`it has not started: ${output}`);
    return Number(found);
  }, eventually);
  const screen = () => {
    const drawn = output.split('\u001b[H').at(-1) ?? '';
    // The terminal makes `\r\n` of the `\n` in what is `\r\n` already.
    return withoutEscapes(drawn).split(/\r*\n/);
  };
  return {
    pid,
    output: () => output,
    screen,
    shows: (wanted) =>
      vi.waitFor(() => {
        if (!wanted.test(screen().join('\n'))) throw new Error(`no ${wanted} on the screen:\n${screen().join('\n')}`);
      }, eventually),
    press: (keys) => child.stdin.write(keys),
    async ended() {
      await closed;
      const [, code = '', stty = ''] = /code=(\d+)\r\n([\s\S]*)$/.exec(output) ?? [];
      return { code: Number(code || Number.NaN), stty };
    },
    close: () => child.kill('SIGKILL'),
  };
}

function withoutEscapes(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape begins with one.
  return text.replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, '');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

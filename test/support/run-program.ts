// The program in this very process, with its streams captured: what a shell would see, without a shell.

import { PassThrough, Readable } from 'node:stream';
import { runProgram } from '../../src/cli/program.ts';
import type { Verb } from '../../src/cli/verb.ts';
import type { World } from '../../src/cli/world.ts';
import { systemClock } from '../../src/clock.ts';
import { systemDice } from '../../src/dice.ts';

export interface ProgramRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as the one document that `--json` promises. */
  json<Document = Record<string, unknown>>(): Document;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What is typed; with it, standard input is a terminal. */
  readonly typed?: string;
  /** What comes through a pipe; standard input is no terminal then. */
  readonly piped?: string;
  readonly cwd?: string;
  /** Columns of the terminal that standard output is; without it there is none. */
  readonly columns?: number;
  readonly verbs?: readonly Verb[];
  /** Called with all that was written so far whenever something is; aborts the verb as a first Ctrl-C would. */
  readonly until?: (stdout: string) => boolean;
}

/** Runs `fabric-syncd ...argv`. */
export async function runFabricSyncd(argv: readonly string[], options: ProgramOptions = {}): Promise<ProgramRun> {
  const { env = {}, typed, piped, cwd = '/', columns, verbs, until } = options;
  const input = typed ?? piped;
  const stdout = new Captured();
  const stderr = new Captured();
  const interrupts = new Set<() => void>();
  if (until) {
    stdout.stream.on('data', () => {
      if (until(stdout.text)) for (const interrupt of [...interrupts]) interrupt();
    });
  }
  const world: World = {
    argv,
    entry: '/fabric-syncd',
    env: { USER: 'ann', ...env },
    cwd,
    stdin: Readable.from(input === undefined ? [] : [input]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    isTerminal: { stdin: typed !== undefined, stdout: columns !== undefined, stderr: false },
    columns: () => columns ?? null,
    clock: systemClock,
    dice: systemDice,
    hostname: 'noc',
    user: 'daemon',
    pid: 4711,
    onSignal(signal, act) {
      if (signal !== 'SIGINT') return () => {};
      interrupts.add(act);
      return () => interrupts.delete(act);
    },
    exitNow: () => {},
  };
  const code = await runProgram(world, verbs);
  return {
    code,
    stdout: stdout.text,
    stderr: stderr.text,
    json: <Document>() => JSON.parse(stdout.text) as Document,
  };
}

class Captured {
  readonly stream = new PassThrough();
  text = '';

  constructor() {
    this.stream.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('utf8');
    });
  }
}

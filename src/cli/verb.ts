// What a verb is: a description that help, parsing and shell completion are made from, and one function.
//
//   V1. A verb is a file, and its description does nothing at import. What is slow to load (undici, ioredis, OpenTelemetry)
//       it imports when it runs, so that `--help` and completion stay quick.
//   V2. A verb throws `CliFailure` or `FabricFailure`, or returns how it ended. It never writes to a stream itself
//       where `out` can, and never ends the process.
//   V3. It gives up when `signal` aborts.

import type { Command } from 'commander';
import type { Exit } from './exit-codes.ts';
import type { Output } from './output.ts';
import type { World } from './world.ts';

/** One call of a verb. `args` are the positional arguments in order (a variadic one is an array). */
export interface Call<Args extends readonly unknown[] = readonly unknown[], Options extends object = object> {
  readonly world: World;
  readonly args: Args;
  readonly options: Options;
  readonly out: Output;
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP, and when the reader of standard output has gone. */
  readonly signal: AbortSignal;
  /** What the line was parsed with: every verb and option, for shell completion. */
  readonly program: Command;
}

export interface VerbDescription<Args extends readonly unknown[], Options extends object> {
  /** `['status']`, or `['fabric', 'add']` for a verb in a group. */
  readonly path: readonly [string] | readonly [string, string];
  /** A few words for the list of verbs, lower case, no full stop. */
  readonly summary: string;
  /** More for its own help, in sentences. */
  readonly details?: string;
  /** Whole command lines; the first is what most people want. */
  readonly examples: readonly [string, ...string[]];
  /** Left out of help and completion. */
  readonly hidden?: boolean;
  /** The verb listens to signals itself (the daemon, the demo): `signal` then aborts only with its reader. */
  readonly ownSignals?: boolean;
  /** Adds the verb's arguments and options. `--json` and `--help` are there already. */
  define?(command: Command): void;
  run(call: Call<Args, Options>): Promise<Exit>;
}

/** A verb whose types `verb` has checked and closed. */
export type Verb = VerbDescription<readonly unknown[], object>;

/** `Args` and `Options` say what `define` makes commander parse: the one place where that is taken on trust. */
export function verb<Args extends readonly unknown[] = readonly [], Options extends object = object>(
  description: VerbDescription<Args, Options>,
): Verb {
  return { ...description, run: (call) => description.run(call as Call<Args, Options>) };
}

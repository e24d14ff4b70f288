// The command line: builds commander's program from the verbs, runs the one that was asked for, and turns how it ended
// into an exit status.
//
//   P1. `runProgram` never throws and never ends the process.
//   P2. Whatever happens, `--json` leaves exactly one document on standard output: the answer, or the error. Only `inspect`
//       leaves a stream of them, which ends where it is ended.
//   P3. A reader that goes away (`| head`) is a quiet end.

import { Command, CommanderError } from 'commander';
import { readVersion } from '../version.ts';
import { CliFailure } from './cli-failure.ts';
import { type Exit, exitCodes } from './exit-codes.ts';
import { Output } from './output.ts';
import { reportFailure } from './report-failure.ts';
import type { Verb } from './verb.ts';
import { groups, verbsFor } from './verbs.ts';
import type { World } from './world.ts';

/** How long a verb that was told to stop may take to put things away. */
const graceMs = 5_000;

/**
 * Runs the command line in `world.argv`.
 *
 * @param given the verbs there are; where absent, the program's own
 * @returns the exit status
 */
export async function runProgram(world: World, given?: readonly Verb[]): Promise<number> {
  const verbs = given ?? (await verbsFor(world.argv));
  const asked: { call: { verb: Verb; command: Command } | null } = { call: null };
  const program = buildProgram(world, verbs, (verb, command) => {
    asked.call = { verb, command };
  });
  // Never taken off again: a write that fails after the verb has ended must still find somebody who listens.
  const output = new AbortController();
  world.stdout.on('error', (error) => output.abort(error));
  world.stderr.on('error', () => {});
  try {
    program.parse([...world.argv], { from: 'user' });
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.done.code;
    const out = new Output(world, asksForJson(world.argv));
    return exitCodes[reportFailure(out, world, thrown, commandOf(world.argv, verbs))].code;
  }
  if (!asked.call) return exitCodes.done.code;
  return exitCodes[await runVerb(world, program, asked.call, output.signal)].code;
}

/** Commander's program for these verbs; `act` is called with the verb that the command line names. */
function buildProgram(world: World, verbs: readonly Verb[], act: (verb: Verb, command: Command) => void): Command {
  const program = new Command('fabric-syncd')
    .description('Keeps an inventory of Hedgehog Open Network Fabrics true.')
    .version(readVersion(), '-V, --version', 'print the version')
    // Only before a verb: `--kinds -VPC` asks for no version.
    .enablePositionalOptions()
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(text),
      // Reported by `reportFailure`, as every failure is.
      outputError: () => {},
      getOutHelpWidth: () => world.columns() ?? 100,
      getErrHelpWidth: () => world.columns() ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', () => exitHelp);
  const groupCommands = new Map<string, Command>();
  for (const verb of verbs) {
    const [first, second] = verb.path;
    let parent = program;
    if (second !== undefined) {
      parent =
        groupCommands.get(first) ??
        program
          .command(first)
          .summary(groups[first] ?? '')
          .description(sentence(groups[first] ?? ''))
          .helpCommand(false);
      groupCommands.set(first, parent);
    }
    const command = parent
      .command(second ?? first, { hidden: verb.hidden === true })
      .summary(verb.summary)
      .description(verb.details ? `${sentence(verb.summary)}\n\n${verb.details}` : sentence(verb.summary));
    verb.define?.(command);
    command
      .option('--json', 'print one JSON document and nothing else')
      .addHelpText('after', `\nExamples:\n${verb.examples.map((example) => `  ${example}`).join('\n')}`)
      .action(() => act(verb, command));
  }
  return program;
}

async function runVerb(
  world: World,
  program: Command,
  { verb, command }: { verb: Verb; command: Command },
  output: AbortSignal,
): Promise<Exit> {
  const { json = false, ...options } = command.opts<{ json?: boolean }>();
  const out = new Output(world, json);
  const stop = new AbortController();
  const heard: Array<() => void> = [];
  if (!verb.ownSignals) {
    // SIGHUP: the terminal was closed; what was started there ends as with Ctrl-C.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const onSignal = () => {
        if (stop.signal.aborted) world.exitNow(exitCodes.interrupted.code);
        stop.abort(new Interrupted(signal));
      };
      heard.push(world.onSignal(signal, onSignal));
    }
  }
  const signal = AbortSignal.any([stop.signal, output]);
  try {
    const running = verb.run({ world, args: command.processedArgs, options, out, signal, program });
    const exit = await Promise.race([running.then(written(world)), givenUp(world, signal)]);
    if (output.aborted) return outputEnded(world, output.reason, verb);
    return stop.signal.aborted ? interrupted(out) : exit;
  } catch (thrown) {
    if (output.aborted) return outputEnded(world, output.reason, verb);
    if (stop.signal.aborted) return interrupted(out);
    return reportFailure(out, world, thrown, verb.path.join(' '));
  } finally {
    for (const stopListening of heard) stopListening();
  }
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/**
 * Waits until what was said is written: a disk that is full must not end as "done".
 * @returns hands on what it is given
 */
function written(world: World): (exit: Exit) => Promise<Exit> {
  const flush = (stream: NodeJS.WritableStream) => new Promise<void>((resolve) => stream.write('', () => resolve()));
  return async (exit) => {
    await Promise.all([flush(world.stdout), flush(world.stderr)]);
    return exit;
  };
}

/** Rejects where a verb does not heed its signal in time; the process is about to end. */
async function givenUp(world: World, signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => world.clock.after(graceMs, () => reject(signal.reason));
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true });
  return promise;
}

function outputEnded(world: World, error: NodeJS.ErrnoException, verb: Verb): Exit {
  if (error.code === 'EPIPE') return 'done';
  const failure = new CliFailure('failed', 'OUTPUT_FAILED', `standard output cannot be written: ${error.message}`);
  return reportFailure(new Output(world, false), world, failure, verb.path.join(' '));
}

function interrupted(out: Output): Exit {
  if (!out.printed && !out.isStream)
    out.document({ error: { code: 'INTERRUPTED', message: 'stopped by a signal', hint: '' } });
  return 'interrupted';
}

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

/** The verb that a wrong command line begins with, for the error and its hint. */
function commandOf(argv: readonly string[], verbs: readonly Verb[]): string {
  const [first = '', second = ''] = argv;
  const found =
    verbs.find(({ path }) => path[0] === first && path[1] === second) ?? verbs.find(({ path }) => path[0] === first);
  if (!found) return '';
  return found.path[1] !== undefined && found.path[1] !== second ? first : found.path.join(' ');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

const exitHelp = `
Exit status:
${Object.values(exitCodes)
  .map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
  .join('\n')}

Help on a command: fabric-syncd help COMMAND, or COMMAND --help.`;

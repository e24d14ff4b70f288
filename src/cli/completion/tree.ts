// What can be completed where, read off commander's own commands and options: a verb that is added is completed, too.

import type { Argument, Command, Option } from 'commander';

/** What a value may be. `none` is a value that nobody can guess. */
export type Values =
  | { readonly kind: 'none' }
  | { readonly kind: 'fabrics' }
  | { readonly kind: 'files' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

export interface CompletedOption {
  /** `-h` and `--help`, as far as they are there. */
  readonly flags: readonly string[];
  readonly help: string;
  /** Null where it takes none. */
  readonly value: Values | null;
}

/** A place on the command line: after these words, these may follow. */
export interface Place {
  /** Empty at the beginning; `fabric add` after these two words. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly help: string }[];
  readonly options: readonly CompletedOption[];
  readonly argument: Values;
}

/** Every place, the beginning first. */
export function placesOf(program: Command): readonly Place[] {
  const walk = (command: Command, path: string): Place[] => {
    const help = command.createHelp();
    const commands = help.visibleCommands(command);
    const [argument] = command.registeredArguments;
    const place: Place = {
      path,
      commands: commands.map((each) => ({ name: each.name(), help: plainHelp(each.summary() || each.description()) })),
      options: help.visibleOptions(command).map(optionOf),
      argument: argument ? valuesOf(argument.argChoices, argument.name()) : { kind: 'none' },
    };
    return [place, ...commands.flatMap((each) => walk(each, `${path} ${each.name()}`.trim()))];
  };
  return walk(program, '');
}

/** What a POSIX shell's script needs of all places: the commands' `case` lines, and the options that take a value. */
export function caseLines(
  places: readonly Place[],
  variable: string,
): { steps: string[]; takers: string; valued: Valued[] } {
  const steps = places.flatMap(({ path, commands }) =>
    commands.map(({ name }) => `      '${path}:${name}') ${variable}='${`${path} ${name}`.trim()}' ;;`),
  );
  const valued = places.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }): Valued[] =>
      value ? [{ pattern: flags.map((flag) => `'${path}:${flag}'`).join(' | '), value }] : [],
    ),
  );
  return { steps, takers: valued.map(({ pattern }) => pattern).join(' | '), valued };
}

/** An option that takes a value, as the pattern of a `case`. */
interface Valued {
  readonly pattern: string;
  readonly value: Values;
}

function optionOf(option: Option): CompletedOption {
  const [, metavar = ''] = /<([^>]+)>/.exec(option.flags) ?? [];
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    help: plainHelp(option.description),
    value: option.required || option.optional ? valuesOf(option.argChoices, metavar) : null,
  };
}

function valuesOf(choices: Argument['argChoices'], name: string): Values {
  if (choices) return { kind: 'words', words: choices };
  if (/^fabrics?$/.test(name)) return { kind: 'fabrics' };
  if (/^(file|path|folder)$/.test(name)) return { kind: 'files' };
  if (/^[a-z]+([|/][a-z]+)+$/.test(name)) return { kind: 'words', words: name.split(/[|/]/) };
  return { kind: 'none' };
}

/** Fit for any shell's single quotes. */
function plainHelp(text: string): string {
  return (text.split('\n')[0] ?? '').replaceAll("'", '’').replaceAll('\\', '/');
}

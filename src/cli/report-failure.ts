import { CommanderError } from 'commander';
import { FabricFailure, type FailureCode, hintByCode } from '../../machines/fabric/failure.ts';
import { ConfigProblems } from '../config.ts';
import { NotListening } from '../not-listening.ts';
import { SchemaRefused } from '../postgres/migrate.ts';
import { CliFailure } from './cli-failure.ts';
import { paintFor } from './colours.ts';
import type { Exit } from './exit-codes.ts';
import type { Output } from './output.ts';
import { plain } from './plain-text.ts';
import type { World } from './world.ts';

/** A failure as people and scripts see it. */
export interface Told {
  readonly exit: Exit;
  readonly code: string;
  /** May have several lines: the first is the failure, the others its parts. */
  readonly message: string;
  readonly hint: string;
}

/**
 * Tells what went wrong: one line and a hint on standard error, or the error document with `--json`.
 * @param command the verb that failed, as people type it; empty where none was understood
 */
export function reportFailure(out: Output, world: World, thrown: unknown, command: string): Exit {
  const told = tell(thrown, command);
  if (out.json) {
    const error = { code: told.code, message: told.message, hint: told.hint };
    if (!out.printed) out.document({ error, ...(thrown instanceof CliFailure && thrown.beside) });
    return told.exit;
  }
  if (told.message !== '') {
    const paint = paintFor(world.isTerminal.stderr, world.env);
    const [first = '', ...others] = told.message.split('\n').map(plain);
    const lines = [`${paint('red', ['fabric-syncd', command].join(' ').trim())}: ${first}`, ...others];
    if (told.hint !== '') lines.push(`${paint('dim', 'hint:')} ${plain(told.hint)}`);
    world.stderr.write(`${lines.join('\n')}\n`);
  }
  return told.exit;
}

/** What any thrown thing comes to. */
export function tell(thrown: unknown, command: string): Told {
  if (thrown instanceof CliFailure) {
    return { exit: thrown.exit, code: thrown.code, message: thrown.message, hint: thrown.hint };
  }
  if (thrown instanceof FabricFailure) {
    return {
      exit: exitByFailure[thrown.code] ?? 'failed',
      code: thrown.code,
      message: thrown.message,
      hint: hintOf(thrown),
    };
  }
  if (thrown instanceof ConfigProblems) {
    const hint = 'Every setting and what it came to: fabric-syncd check-config';
    return { exit: 'settings', code: 'CONFIG_INVALID', message: thrown.message, hint };
  }
  if (thrown instanceof SchemaRefused) {
    const newer = thrown.kind === 'newer';
    return {
      exit: newer ? 'schema_newer' : 'failed',
      code: newer ? 'SCHEMA_NEWER' : 'SCHEMA_CHANGED',
      message: thrown.message,
      hint: '',
    };
  }
  if (thrown instanceof NotListening) {
    return { exit: 'failed', code: 'NOT_LISTENING', message: thrown.message, hint: '' };
  }
  if (thrown instanceof CommanderError) return tellUsage(thrown, command);
  const { code, message, hint } = FabricFailure.note(thrown);
  return { exit: 'failed', code, message, hint };
}

const exitByFailure: Partial<Record<FailureCode, Exit>> = {
  DATABASE_UNAVAILABLE: 'database_unavailable',
  RUN_DEADLINE: 'timed_out',
  SETTINGS_INVALID: 'usage',
};

/** The hint of this code tells what a daemon does, and a command does not. */
function hintOf({ code, hint }: FabricFailure): string {
  const isDaemons = code === 'DATABASE_UNAVAILABLE' && hint === hintByCode[code];
  return isDaemons ? 'Check DATABASE_URL and the server, and try again.' : hint;
}

function tellUsage(error: CommanderError, command: string): Told {
  const help = `See: ${['fabric-syncd', command].join(' ').trim()} --help`;
  // Commander has printed the help itself, to standard error, where a command was missing altogether.
  if (error.code === 'commander.help') return { exit: 'usage', code: 'USAGE', message: '', hint: '' };
  // `error: unknown option '--foo'\n(Did you mean --food?)`
  const [first = '', ...suggestions] = error.message.replace(/^error: /, '').split('\n');
  return { exit: 'usage', code: 'USAGE', message: first, hint: [...suggestions, help].join(' ') };
}

import type { Exit } from './exit-codes.ts';

/** A verb could not do what it was asked. Printed as one line, with what to do below it; never with a stack. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  readonly exit: Exit;
  /** Stable, SCREAMING_SNAKE: what scripts look at in `--json`. */
  readonly code: string;
  /** What the operator can do; empty where there is nothing to say. */
  readonly hint: string;
  /** What stands beside `error` in the document of `--json`. */
  readonly beside: object;

  constructor(
    exit: Exit,
    code: string,
    message: string,
    more: { hint?: string; beside?: object; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.exit = exit;
    this.code = code;
    this.hint = more.hint ?? '';
    this.beside = more.beside ?? {};
  }
}

/** The command line cannot mean anything: exit 2, nothing was done. */
export function usageFailure(message: string, hint = ''): CliFailure {
  return new CliFailure('usage', 'USAGE', message, { hint });
}

// The log: pino, one JSON object a line on standard output, from where journald takes it; made readable on a terminal.
//
//   J1. Secrets never reach it: whatever is called like one is blotted out, and errors are told without their requests.
//   J2. The level can be changed while it runs.
//   J3. What was said is written before the process ends (`flush`).

import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
export const logLevels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

type Say = (fields: Readonly<Record<string, unknown>>, line: string) => void;

/** What every part is given. Common fields: fabric, fabric_id, state, epoch, run, code, hint, err. */
export interface Log {
  readonly debug: Say;
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
  child(fields: Readonly<Record<string, unknown>>): Log;
}

export interface RootLog extends Log {
  level: LogLevel;
  /** Writes what is still buffered. */
  flush(): Promise<void>;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `auto`: pretty on a terminal, else JSON. */
  readonly format: 'auto' | 'json' | 'pretty';
  readonly destination: NodeJS.WritableStream;
  readonly isTerminal: boolean;
  /** Merged into every line. */
  readonly base?: Readonly<Record<string, unknown>>;
}

const secretNames = [
  'token',
  'password',
  'authorization',
  'credential',
  'secret',
  'key',
  'keyPem',
  'certPem',
  'sealed',
];
const redact = {
  paths: secretNames.flatMap((name) => [name, `*.${name}`, `err.${name}`, `err.cause.${name}`]),
  censor: '[secret]',
};

export async function openLog(options: LogOptions): Promise<RootLog> {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && options.isTerminal);
  const sink = pretty ? await prettySink(options) : options.destination;
  // A reader that went away must not take the daemon with it.
  options.destination.on('error', () => {});
  const logger = pino(
    {
      level: options.level,
      base: options.base ?? {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: tellError },
      redact,
    },
    sink as NodeJS.WritableStream & { write(line: string): boolean },
  );
  return asRoot(logger, sink, options.destination);
}

/** An error by what it says, never by what hangs on it: a vendor's error may carry a whole request. */
function tellError(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return String(thrown);
  const { code } = thrown as { code?: unknown };
  return {
    type: thrown.name,
    message: thrown.message,
    ...(typeof code === 'string' && { code }),
    ...(thrown.cause !== undefined && { cause: tellError(thrown.cause) }),
    stack: thrown.stack,
  };
}

/** Fields are merged here and not by pino's children, which keep the level that they were born with (J2). */
function asLog(logger: Logger, common: Readonly<Record<string, unknown>> = {}): Log {
  return {
    debug: (fields, line) => logger.debug({ ...common, ...fields }, line),
    info: (fields, line) => logger.info({ ...common, ...fields }, line),
    warn: (fields, line) => logger.warn({ ...common, ...fields }, line),
    error: (fields, line) => logger.error({ ...common, ...fields }, line),
    child: (fields) => asLog(logger, { ...common, ...fields }),
  };
}

function asRoot(logger: Logger, sink: NodeJS.WritableStream, destination: NodeJS.WritableStream): RootLog {
  return {
    ...asLog(logger),
    get level() {
      return logger.level as LogLevel;
    },
    set level(level) {
      logger.level = level;
    },
    async flush() {
      for (const stream of new Set([sink, destination])) {
        const { promise, resolve } = Promise.withResolvers<void>();
        stream.write('', () => resolve());
        await promise;
      }
    },
  };
}

/** pino-pretty is loaded only where somebody will look at it. */
async function prettySink({ destination, isTerminal }: LogOptions): Promise<NodeJS.WritableStream> {
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({
    colorize: isTerminal,
    translateTime: 'SYS:HH:MM:ss.l',
    // The line says it already.
    ignore: 'pid,hostname,daemon,fabric,fabric_id,state,from,event,epoch,run,code,hint,attempts,due_at,trigger',
    singleLine: true,
  });
  return new Writable({
    decodeStrings: false,
    write(line: string | Buffer, _encoding, done) {
      // That the reader went away is not this stream's trouble either.
      destination.write(prettify(line.toString()) ?? '', () => done());
    },
  });
}

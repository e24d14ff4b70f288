// The log: pino, one JSON object a line on standard output, from where journald takes it; made readable on a terminal.
//
//   J1. Secrets never reach it: whatever is called like one is blotted out, and errors are told without their requests.
//   J2. The level can be changed while it runs.
//   J3. What was said is written before the process ends (`flush`).
//   J4. A line that is said in the course of a span carries its `trace_id` and `span_id`.
//   J5. Whoever hears the lines besides (`alsoTo`) gets what is printed, and can neither hold up nor break the log.

import { Writable } from 'node:stream';
import { isSpanContextValid, trace } from '@opentelemetry/api';
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

/** A line as it is printed: without secrets. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly line: string;
}

export interface RootLog extends Log {
  level: LogLevel;
  /** From now on `hear` is given every line that the level lets through, at once and in the same context. */
  alsoTo(hear: (line: LogLine) => void): void;
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

/** `token`, `api_token`, `redisPassword`, `keyPem`. */
const secretName = /(?:token|passwd|password|passphrase|authorization|credentials?|secret|sealed|cookie|pem)$/i;
/** `key`, `private_key`, `sealingKey`; no word that only ends like one. */
const keyName = /(?:^|_)key$|[a-z0-9]Key$/;
const censor = '[secret]';
/** Deeper than any field of ours; what is below is cut off, as a circle would have no end. */
const depthMax = 8;

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
      mixin: spanInHand,
      formatters: { level: (label) => ({ level: label }), log: (fields) => asFields(fields) },
      // Errors are told by then; pino's own serializer would join the messages of their causes.
      serializers: { err: (told) => told },
    },
    sink as NodeJS.WritableStream & { write(line: string): boolean },
  );
  return asRoot(logger, sink, options.destination);
}

/** A copy without secrets (J1), of fields as deep as they come. */
function asFields(fields: object, depth = 1): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isSecret(name) ? censor : told(value, depth)]),
  );
}

function isSecret(name: string): boolean {
  return secretName.test(name) || keyName.test(name);
}

function told(value: unknown, depth: number): unknown {
  if (value instanceof Error) return tellError(value, depth);
  if (typeof value === 'string') return withoutLogins(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= depthMax) return '[cut]';
  if (Array.isArray(value)) return value.map((one) => told(one, depth + 1));
  // Bytes are never for people.
  return ArrayBuffer.isView(value) ? `[${value.byteLength} bytes]` : asFields(value, depth + 1);
}

/** An error by what it says, never by what hangs on it: a vendor's error may carry a whole request. */
function tellError(error: Error, depth: number): unknown {
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: withoutLogins(error.message),
    ...(typeof code === 'string' && { code }),
    ...(error.cause !== undefined && { cause: depth >= depthMax ? '[cut]' : told(error.cause, depth + 1) }),
    stack: error.stack === undefined ? undefined : withoutLogins(error.stack),
  };
}

/** A URL may carry a password, and a vendor's message may quote it. */
function withoutLogins(text: string): string {
  return text.includes('://') ? text.replace(/(:\/\/[^\s:/?#@]*):[^\s/?#]*@/g, '$1:***@') : text;
}

/** J4. Nothing where nothing is traced. */
function spanInHand(): { trace_id?: string; span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** Who hears the lines besides (J5). */
type Hearers = ((line: LogLine) => void)[];

/** Fields are merged here and not by pino's children, which keep the level that they were born with (J2). */
function asLog(logger: Logger, hearers: Hearers, common: Readonly<Record<string, unknown>> = {}): Log {
  const say =
    (level: LogLine['level']): Say =>
    (fields, line) => {
      const all = { ...common, ...fields };
      const plain = withoutLogins(line);
      logger[level](all, plain);
      if (hearers.length === 0 || !logger.isLevelEnabled(level)) return;
      const told = { level, fields: asFields(all), line: plain };
      for (const hear of hearers) {
        try {
          hear(told);
        } catch {
          // It is told in the log itself all the same.
        }
      }
    };
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    child: (fields) => asLog(logger, hearers, { ...common, ...fields }),
  };
}

function asRoot(logger: Logger, sink: NodeJS.WritableStream, destination: NodeJS.WritableStream): RootLog {
  const hearers: Hearers = [];
  return {
    ...asLog(logger, hearers),
    alsoTo(hear) {
      hearers.push(hear);
    },
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
    ignore: 'pid,hostname,daemon,fabric,fabric_id,state,from,event,reason,epoch,run,code,hint,attempts,due_at,trigger',
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

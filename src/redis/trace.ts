// Each Redis command as a span below the run that sends it, from the diagnostics channel of the client. Nobody listens to
// that channel where nothing is traced, and the client does nothing for it then.
//
//   RT1. A command's name is told, and the name of a script; no key, no value, no text of a server's answer.
//   RT2. What is sent in the background (the pump's looks, the health of a connection) is no run's.

import { tracingChannel } from 'node:diagnostics_channel';
import type { Span } from '@opentelemetry/api';
import { failSpan, isTraced, openSpan } from '../../otel/in-span.ts';
import { tell } from '../../otel/tell.ts';
import { replyKind } from './errors.ts';
import { scriptName } from './script-names.ts';

/** What the client tells of one command. */
interface Told {
  readonly command: string;
  readonly args: readonly string[];
  readonly database: number;
  readonly serverAddress: string;
  readonly serverPort: number | undefined;
}

/** @returns stops it */
export function traceRedis(): () => void {
  const open = new WeakMap<object, Span>();
  const end = (told: Told, error?: unknown) => {
    const span = open.get(told);
    if (!span) return;
    open.delete(told);
    if (error !== undefined) {
      const kind = replyKind(error);
      if (kind !== null) tell(span, { 'db.response.status_code': kind });
      failSpan(span, kind ?? 'unanswered');
    }
    span.end();
  };
  const hearers = {
    start(message: unknown) {
      if (!isTraced()) return;
      const told = message as Told;
      const span = openCommand(told);
      if (span) open.set(told, span);
    },
    end() {},
    asyncStart() {},
    asyncEnd(message: unknown) {
      const { error } = message as { error?: unknown };
      end(message as Told, error);
    },
    error() {},
  };
  const channel = tracingChannel('ioredis:command');
  channel.subscribe(hearers);
  return () => channel.unsubscribe(hearers);
}

function openCommand(told: Told): Span | null {
  const { command, args, database, serverAddress, serverPort } = told;
  const operation = command.toUpperCase();
  const called = operation === 'EVAL' || operation === 'EVALSHA' ? scriptName(args[0] ?? '') : null;
  const attributes = {
    'db.system.name': 'redis',
    // Whether its text had to be sent once more is the client's affair.
    'db.operation.name': called === null ? operation : 'EVALSHA',
    'db.namespace': String(database),
    'server.address': serverAddress,
    ...(serverPort !== undefined && { 'server.port': serverPort }),
    ...(called !== null && { 'db.stored_procedure.name': called }),
  } as const;
  return openSpan(called === null ? 'redis' : 'script', () => attributes);
}

// Each statement as a span below the run that makes it: from the moment it is handed to the driver, waiting for a connection
// included, until its answer.
//
//   PT1. The text is told with `$1` in the place of values. No value is, and no text of the server's answer: that may quote
//        one.
//   PT2. A COPY lasts until the server has taken the last row, not until its stream is open.
//   PT3. Where nothing is traced, a statement costs one look.

import { finished, Writable } from 'node:stream';
import type { Span } from '@opentelemetry/api';
import type { Sql } from 'postgres';
import { failSpan, isTraced, openSpan } from '../../otel/in-span.ts';
import { tell } from '../../otel/tell.ts';
import type { DatabaseHost } from './address.ts';
import { type Summary, summaryOf } from './summary.ts';

/** What every statement of one pool shares. */
export interface StatementPlace {
  readonly database: string;
  readonly server: DatabaseHost | null;
}

/** The driver's statement, as far as it is used here; its own `resolve` and `reject` are what its answer comes to. */
interface Statement {
  readonly tagged: boolean;
  /** The text, once it was sent. */
  readonly string?: string;
  /** The same object for each statement of one text on one connection, once it was sent. */
  readonly statement?: object | null;
  readonly strings: readonly string[];
  handler: (statement: Statement) => unknown;
  resolve: (answer: unknown) => unknown;
  reject: (error: unknown) => unknown;
}

/** The same, but what is asked within a traced run is traced. */
export function traceStatements(sql: Sql, place: StatementPlace): Sql {
  return new Proxy(sql, {
    apply(target, self, given: Parameters<Sql>) {
      const made: unknown = Reflect.apply(target, self, given);
      // A part of another statement is never handed to the driver by itself, and so never told.
      if (isTraced() && isStatement(made)) follow(made, place);
      return made;
    },
  });
}

/** By the driver's own object where there is one: to look a text of some kilobytes up costs more than all else here. */
const bySent = new WeakMap<object, Summary>();

function summaryOfSent({ statement, string, strings }: Statement): Summary {
  const before = statement ? bySent.get(statement) : undefined;
  if (before) return before;
  const found = summaryOf(string ?? strings.join('$'));
  if (statement) bySent.set(statement, found);
  return found;
}

function isStatement(made: unknown): made is Statement {
  return (made as Partial<Statement>).tagged === true && typeof (made as Partial<Statement>).handler === 'function';
}

function follow(statement: Statement, { database, server }: StatementPlace): void {
  const { handler, resolve, reject } = statement;
  let span: Span | null = null;
  const end = (answer: { readonly count?: unknown } | null) => {
    if (!span) return;
    // The text is known only now: the driver puts it together when it sends it.
    const { operation, summary, text } = summaryOfSent(statement);
    span.updateName(summary);
    tell(span, {
      'db.operation.name': operation,
      'db.query.summary': summary,
      'db.query.text': text,
      ...(typeof answer?.count === 'number' && { 'db.response.returned_rows': answer.count }),
    });
    span.end();
    span = null;
  };
  statement.handler = (asked) => {
    span = openSpan('statement', () => ({
      'db.system.name': 'postgresql',
      'db.namespace': database,
      'db.query.summary': 'statement',
      ...(server && { 'server.address': server.host, 'server.port': server.port }),
    }));
    return handler(asked);
  };
  const fail = (error: unknown) => {
    if (span) {
      const { code } = error as { code?: unknown };
      const state = typeof code === 'string' ? code : 'unanswered';
      if (/^[0-9A-Z]{5}$/.test(state)) tell(span, { 'db.response.status_code': state });
      failSpan(span, state);
    }
    end(null);
  };
  statement.resolve = (answer) => {
    if (answer instanceof Writable) finished(answer, (error) => (error ? fail(error) : end(null)));
    else end(answer as { count?: unknown } | null);
    return resolve(answer);
  };
  statement.reject = (error) => {
    fail(error);
    return reject(error);
  };
}

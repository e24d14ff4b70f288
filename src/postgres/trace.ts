// Each statement as a span below the run that makes it: from the moment it is handed to the driver, waiting for a connection
// included, until its answer.
//
//   PT1. The text is told with `$1` in the place of values. No value is, and no text of the server's answer: that may quote
//        one.
//   PT2. Where nothing is traced, a statement costs one look.

import type { Span } from '@opentelemetry/api';
import type { Sql } from 'postgres';
import { failSpan, isTraced, openSpan } from '../../otel/in-span.ts';
import type { DatabaseHost } from './address.ts';
import { summaryOf } from './summary.ts';

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

function isStatement(made: unknown): made is Statement {
  return (made as Partial<Statement>).tagged === true && typeof (made as Partial<Statement>).handler === 'function';
}

function follow(statement: Statement, { database, server }: StatementPlace): void {
  const { handler, resolve, reject } = statement;
  let span: Span | null = null;
  const end = (told: { readonly count?: unknown } | null) => {
    if (!span) return;
    // The text is known only now: the driver puts it together when it sends it.
    const { operation, summary, text } = summaryOf(statement.string ?? statement.strings.join('$'));
    span.updateName(summary);
    span.setAttributes({ 'db.operation.name': operation, 'db.query.summary': summary, 'db.query.text': text });
    if (typeof told?.count === 'number') span.setAttribute('db.response.returned_rows', told.count);
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
  statement.resolve = (answer) => {
    end(answer as { count?: unknown } | null);
    return resolve(answer);
  };
  statement.reject = (error) => {
    if (span) {
      const { code } = error as { code?: unknown };
      const state = typeof code === 'string' ? code : 'unanswered';
      if (/^[0-9A-Z]{5}$/.test(state)) span.setAttribute('db.response.status_code', state);
      failSpan(span, state);
    }
    end(null);
    return reject(error);
  };
}

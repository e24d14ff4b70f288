// What Postgres and the way to it can say, translated once into failures of ours: by SQLSTATE and by the system's error
// codes, never by the text of a message.
//
//   Q1. "Unavailable" is whatever passes without anybody changing the data: the act may be done again later.
//   Q2. Neither the statement nor its parameters leave this folder: they hold sealed credentials and whole objects.

import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';

/** Somebody held what was asked for longer than `lock_timeout`. */
export const lockNotAvailable = '55P03';

/** Classes of SQLSTATE whose every member is Q1. */
const unavailableClasses = new Set([
  '08', // connection exception
  '28', // invalid authorization: the login, not the act
  '53', // insufficient resources: connections, disk, memory
  '57', // operator intervention: shutdown, crash, statement timeout
  '58', // system error outside of Postgres
]);
const unavailableStates = new Set([
  '25006', // read-only transaction: a standby after a failover
  '25P03', // idle in transaction for too long
  '25P04', // transaction timeout
  '3D000', // the database is not there (yet)
  '40001', // serialization failure
  '40P01', // deadlock: the other one went on
  lockNotAvailable,
]);

/**
 * What `thrown` by the driver means. What is not the driver's passes as it is: an abort, a failure of ours, a defect.
 * @param act what was tried, in words that complete "Postgres did not …"
 */
export function databaseFailure(thrown: unknown, act: string): unknown {
  if (thrown instanceof FabricFailure) return thrown;
  const { code, message } = describe(thrown);
  if (code === '') return thrown;
  const cause = withoutStatement(thrown);
  // Waiting for Postgres would never end.
  if (misuses.has(code))
    return new FabricFailure('INTERNAL', `Postgres was asked wrongly to ${act} (${code})`, { cause });
  if (!sqlState.test(code)) {
    // The driver's own codes (CONNECTION_CLOSED, CONNECT_TIMEOUT …) and the system's (ECONNREFUSED, ENOENT …).
    return new FabricFailure('DATABASE_UNAVAILABLE', `Postgres cannot be reached to ${act} (${code})`, {
      cause,
      facts: { error: code },
    });
  }
  const unavailable = unavailableClasses.has(code.slice(0, 2)) || unavailableStates.has(code);
  return new FabricFailure(
    unavailable ? 'DATABASE_UNAVAILABLE' : 'DATABASE_REFUSED',
    `Postgres did not ${act}: ${oneLine(message, 300)} (SQLSTATE ${code})`,
    { cause, facts: { sqlstate: code } },
  );
}

export function deadlinePassed(act: string, deadlineMs: number): FabricFailure {
  return new FabricFailure('DATABASE_UNAVAILABLE', `Postgres did not ${act} within ${deadlineMs / 1000} s`, {
    facts: { deadlineMs },
  });
}

/** What the driver refuses to send: a defect of ours, however well the server is. */
const misuses = new Set(['UNDEFINED_VALUE', 'MAX_PARAMETERS_EXCEEDED', 'NOT_TAGGED_CALL', 'UNSAFE_TRANSACTION']);

/** Five characters, and some digit: `EPIPE` is the system's. */
const sqlState = /^(?=.*[0-9])[0-9A-Z]{5}$/;

function describe(thrown: unknown): { code: string; message: string } {
  if (!(thrown instanceof Error)) return { code: '', message: String(thrown) };
  // Several addresses of one name refuse together as an AggregateError that carries the code of the first.
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  return { code, message: thrown.message };
}

/** The driver hangs statement, parameters and (in `detail`) whole rows onto its errors: only name, code and stack go on. */
function withoutStatement(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return undefined;
  const { code, message } = describe(thrown);
  const cause = Object.assign(new Error(oneLine(message, 300)), { code });
  cause.name = thrown.name;
  if (thrown.stack !== undefined) cause.stack = thrown.stack;
  return cause;
}

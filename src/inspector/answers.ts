// What the API answers when it does not do what it was asked: a status, a code, a line for people.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { ErrorDocument, PartsDocument } from './documents.ts';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly hint: string;

  /** @param message one line, without secrets: it is shown */
  constructor(status: number, code: string, message: string, hint = '') {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }

  /** Nobody knows it; where Postgres cannot be asked, that says nothing. */
  static noSuchFabric(nameOrNumber: string, { postgres }: PartsDocument): Refusal {
    const name = nameOrNumber.slice(0, 100);
    if (postgres.state !== 'missing') return new Refusal(404, 'NO_SUCH_FABRIC', `there is no fabric "${name}"`);
    const hint = `Whether there is a fabric "${name}" is known when Postgres answers: check DATABASE_URL and the server.`;
    return new Refusal(503, 'DATABASE_UNAVAILABLE', postgres.problem, hint);
  }

  static from(thrown: unknown): Refusal {
    if (thrown instanceof Refusal) return thrown;
    if (thrown instanceof FabricFailure && thrown.code !== 'INTERNAL') {
      const status = thrown.code === 'DATABASE_UNAVAILABLE' ? 503 : 500;
      return new Refusal(status, thrown.code, thrown.message, thrown.hint);
    }
    // A stranger's text may hold anything; the log has it.
    return new Refusal(500, 'INTERNAL', 'the inspector failed at this', 'See the log of the daemon.');
  }

  document(): ErrorDocument {
    return { error: { code: this.code, message: this.message, hint: this.hint } };
  }
}

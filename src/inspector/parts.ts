// Which part is missing, and since when.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { formatIso } from '../clock.ts';
import type { PartDocument, PartsDocument } from './documents.ts';

/** A part that is away, in one line, and since when where somebody knows better than "since it was noticed". */
export interface Trouble {
  readonly problem: string;
  readonly sinceMs?: number | undefined;
}

export class Parts {
  readonly #parts: { -readonly [Part in keyof PartsDocument]: PartDocument };

  constructor(nowMs: number, redis: 'used' | 'none') {
    const ok: PartDocument = { state: 'ok', problem: '', since: formatIso(nowMs) };
    this.#parts = { daemon: ok, postgres: ok, redis: redis === 'none' ? { ...ok, state: 'none' } : ok };
  }

  /** @returns whether anything is different now: another wording of the same trouble is none */
  note(part: keyof PartsDocument, trouble: Trouble | null, nowMs: number): boolean {
    const was = this.#parts[part];
    const state = trouble ? 'missing' : was.state === 'none' ? 'none' : 'ok';
    if (was.state === state) return false;
    this.#parts[part] = { state, problem: trouble?.problem ?? '', since: formatIso(trouble?.sinceMs ?? nowMs) };
    return true;
  }

  document(): PartsDocument {
    return { ...this.#parts };
  }
}

/** The answer, or why there is none in one line. Never throws. */
export async function asked<Answer>(question: Promise<Answer>): Promise<{ readonly answer: Answer } | Trouble> {
  try {
    return { answer: await question };
  } catch (thrown) {
    return { problem: FabricFailure.from(thrown).message };
  }
}

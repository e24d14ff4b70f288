// What can be fuzzed: something that takes any bytes, and may answer with a refusal in our words, but with nothing else.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { ConfigProblems } from '../../src/config.ts';
import { NotReadable } from '../../src/duration.ts';

export interface Target {
  /** As the command line names it. */
  readonly name: string;
  readonly about: string;
  /** What is right, or nearly: where the search begins. */
  readonly seeds: readonly string[];
  open(): Promise<OpenTarget>;
}

export interface OpenTarget {
  /** Throws where a promise was broken; a refusal in our words is none. */
  run(input: Buffer): Promise<void> | void;
  close(): Promise<void>;
}

/** @throws what is no refusal in our words */
export async function refusals(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (thrown) {
    if (thrown instanceof FabricFailure || thrown instanceof ConfigProblems || thrown instanceof NotReadable) {
      // What is shown to people is one line, and bounded.
      if (!(thrown instanceof ConfigProblems) && (thrown.message.length > 2_000 || /[\r\n]/.test(thrown.message)))
        throw new Error(`a refusal of ${thrown.message.length} characters`, { cause: thrown });
      return;
    }
    throw thrown;
  }
}

const prototypes = [Object.prototype, Array.prototype, Function.prototype, Map.prototype, String.prototype];
const untouched = prototypes.map((one) => Reflect.ownKeys(one).length);

/** No input may reach what every object inherits. */
export function assertPrototypesUntouched(): void {
  for (const [index, one] of prototypes.entries()) {
    if (Reflect.ownKeys(one).length !== untouched[index])
      throw new Error('an input changed a prototype of the language');
  }
}

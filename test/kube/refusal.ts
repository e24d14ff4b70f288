import { expect } from 'vitest';
import { FabricFailure, type FailureCode } from '../../machines/fabric/failure.ts';

/** The failure of this code that a call ends with. */
export async function refusal(call: () => unknown, code: FailureCode): Promise<FabricFailure> {
  try {
    await call();
  } catch (thrown) {
    if (!(thrown instanceof FabricFailure)) throw thrown;
    expect(`${thrown.code}: ${thrown.message}`).toMatch(new RegExp(`^${code}: `));
    return thrown;
  }
  return expect.fail(`expected ${code}`);
}

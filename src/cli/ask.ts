import { createInterface } from 'node:readline/promises';
import type { World } from './world.ts';

/** Asks on the terminal, on standard error. Anything but a yes is a no, and so is it where there is nobody to ask. */
export async function askYes(world: World, question: string, signal: AbortSignal): Promise<boolean> {
  if (!world.isTerminal.stdin) return false;
  const asking = createInterface({ input: world.stdin, output: world.stderr, terminal: false });
  const hungUp = new AbortController();
  // The end of the input is an answer too: without this the question would wait for ever.
  asking.once('close', () => hungUp.abort());
  try {
    const answer = await asking.question(`${question} [y/N] `, { signal: AbortSignal.any([signal, hungUp.signal]) });
    return /^y(es)?$/i.test(answer.trim());
  } catch (thrown) {
    signal.throwIfAborted();
    if (hungUp.signal.aborted) return false;
    throw thrown;
  } finally {
    asking.close();
  }
}

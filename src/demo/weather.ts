// The weather of the demo: one fabric fails for a while within the first half minute, so that backoff and recovery can
// be watched.

import type { Clock } from '../clock.ts';
import type { Service } from '../service.ts';
import type { SimulatedFabric } from './fabrics/fabric.ts';
import type { Fault } from './fabrics/faults.ts';

interface Spell {
  readonly atMs: number;
  /** Null: fair again. */
  readonly fault: Fault | null;
  readonly words: string;
}

const spells: readonly Spell[] = [
  { atMs: 9_000, fault: { does: 'status', status: 503, retryAfterS: 1 }, words: 'answers 503 from now on' },
  { atMs: 14_000, fault: { does: 'refuse' }, words: 'refuses connections from now on, as in a reboot' },
  { atMs: 20_000, fault: null, words: 'is well again' },
];

/** When the last spell is over; the fabric needs a retry more to be in sync again. */
export const fairAgainMs = 20_000;

export function weather(
  fabric: SimulatedFabric,
  { clock, say }: { readonly clock: Clock; readonly say: (line: string) => void },
): Service {
  let cancels: (() => void)[] = [];
  return {
    name: `weather over ${fabric.name}`,
    async start() {
      cancels = spells.map(({ atMs, fault, words }) =>
        clock.after(atMs, () => {
          const change = async () => {
            await fabric.faults.clear();
            if (fault) await fabric.faults.set(fault);
            say(`${fabric.name} ${words}`);
          };
          change().catch((cause: unknown) => say(`the weather over ${fabric.name} could not change: ${String(cause)}`));
        }),
      );
    },
    async stop() {
      for (const cancel of cancels) cancel();
      cancels = [];
    },
  };
}

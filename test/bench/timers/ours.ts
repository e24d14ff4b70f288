// Our timers alone: the store in Redis and the pump, as the daemon has them, with nothing behind them.

import { systemClock } from '../../../src/clock.ts';
import { Slots } from '../../../src/fleet/slots.ts';
import { TimerPump } from '../../../src/fleet/timer-pump.ts';
import type { Timer } from '../../../src/ports/timers.ts';
import { openRedisParts } from '../../../src/redis/open.ts';
import { answerParent, firstDue } from './work.ts';

const leaseTtlMs = 30_000;
const { timers, settled, close } = openRedisParts({
  url: process.argv[2] ?? '',
  lockUrls: [],
  prefix: process.argv[3] ?? 'bench',
  leaseTtlMs,
  clock: systemClock,
  name: 'bench',
});
const slots = new Slots(10);
let everyMs = 0;
let tell: (lateMs: number) => void = () => {};

const pump = new TimerPump({
  timers,
  slots,
  clock: systemClock,
  holdMs: leaseTtlMs,
  deliver(timer) {
    slots.ask(timer.fabricId, 'periodic', () => {
      tell(systemClock.nowMs() - timer.dueAtMs);
      armNext(timer).catch((cause: unknown) => {
        throw cause;
      });
    });
    return true;
  },
  onTrouble(cause) {
    throw cause;
  },
});

async function armNext(timer: Timer): Promise<void> {
  await timers.arm({ ...timer, dueAtMs: timer.dueAtMs + everyMs });
  slots.release(timer.fabricId);
}

await settled();
answerParent({
  async register(order) {
    everyMs = order.intervalMs;
    const all = Array.from({ length: order.count }, (_, n): Timer => {
      return { fabricId: String(n), kind: 'sync', dueAtMs: firstDue(n, order), traceparent: null };
    });
    await timers.armMany(all, { onlyMissing: false });
  },
  async serve(served) {
    tell = served;
    await pump.start();
  },
  async close() {
    await pump.stop();
    await close();
  },
});

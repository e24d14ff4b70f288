// What operators do to one fabric, each from its beginning to its end.

import { systemClock } from '../../src/clock.ts';
import { addArguments } from './ground.ts';
import type { People } from './people.ts';

export interface Act {
  readonly name: string;
  does(people: People, fabric: string): Promise<void>;
}

const slowMs = 300;
const atWorkMsMax = 2_000;
const lookEveryMs = 10;

/** A run of it, long enough to be met in the middle; whatever comes, where none is begun in that time. */
async function inMidRun(people: People, fabric: string, act: () => Promise<void>): Promise<void> {
  const { sql, fabricProcess } = people.ground;
  const fault = await fabricProcess.setFault(fabric, { does: 'slow', ms: slowMs, where: { on: 'list' } });
  try {
    await people.say('trigger', fabric, '--no-wait');
    const untilMs = systemClock.monotonicMs() + atWorkMsMax;
    while (systemClock.monotonicMs() < untilMs) {
      const held = await sql`
        select from fabric_cycle c join fabric f on f.id = c.fabric_id
         where f.name = ${fabric} and c.lease_until > now()`.catch(() => []);
      if (held.length > 0) break;
      await systemClock.sleep(lookEveryMs);
    }
    await act();
  } finally {
    await fabricProcess.clearFault(fabric, fault);
  }
}

export const acts: readonly Act[] = [
  {
    name: 'paused for a while, and resumed',
    async does(people, fabric) {
      const paused = await people.insist(['pause', fabric, '--reason', 'chaos']);
      const loud = people.quietFrom(fabric, 'it was paused');
      await people.letPass({ leastMs: 500, mostMs: 2_500 });
      if (paused) loud();
      await people.insist(['resume', fabric], [0, 4]);
    },
  },
  {
    name: 'paused with an end, which came by itself',
    async does(people, fabric) {
      await people.insist(['pause', fabric, '--reason', 'chaos', '--until', '1s']);
      await people.letPass({ leastMs: 1_200, mostMs: 2_000 });
    },
  },
  {
    name: 'disabled, and enabled again',
    async does(people, fabric) {
      const disabled = await people.insist(['fabric', 'set', fabric, '--disable']);
      const loud = people.quietFrom(fabric, 'it was disabled');
      await people.letPass({ leastMs: 500, mostMs: 2_000 });
      if (disabled) loud();
      await people.insist(['fabric', 'set', fabric, '--enable']);
    },
  },
  {
    name: 'given another interval',
    async does(people, fabric) {
      await people.insist(['fabric', 'set', fabric, '--interval', people.oneOf(['1s', '2s', '3s']) ?? '1s']);
    },
  },
  {
    name: 'given other kinds',
    async does(people, fabric) {
      const kinds = people.oneOf(['-VPC', '-Switch,-Server', '-VPC,-Connection', 'default', 'default']) ?? 'default';
      // An option's value that begins with a dash.
      await people.insist(['fabric', 'set', fabric, `--kinds=${kinds}`]);
    },
  },
  {
    name: 'given a wrong credential, and the right one',
    async does(people, fabric) {
      const wrong = people.oneOf(['wrong', 'missing']) ?? 'wrong';
      await people.insist(['fabric', 'set', fabric, '--no-test', '--token-ref', `credential:${fabric}.${wrong}`]);
      await people.letPass({ leastMs: 500, mostMs: 2_500 });
      await people.insist(['fabric', 'set', fabric, '--no-test', '--token-ref', `credential:${fabric}`]);
    },
  },
  {
    name: 'removed, and added again',
    async does(people, fabric) {
      const { fabrics, filesDir } = people.ground;
      await people.insist(['fabric', 'remove', fabric, '--yes'], [0, 3]);
      await people.letPass({ leastMs: 300, mostMs: 2_000 });
      const facts = fabrics.find(({ name }) => name === fabric);
      if (facts) await people.insist(['fabric', 'add', ...addArguments(facts, filesDir), '--no-test'], [0, 4]);
    },
  },
  {
    name: 'removed in the middle of a run, and added again',
    async does(people, fabric) {
      await inMidRun(people, fabric, async () => {
        await people.insist(['fabric', 'remove', fabric, '--yes'], [0, 3]);
      });
      const { fabrics, filesDir } = people.ground;
      const facts = fabrics.find(({ name }) => name === fabric);
      if (facts) await people.insist(['fabric', 'add', ...addArguments(facts, filesDir), '--no-test'], [0, 4]);
    },
  },
  {
    name: 'told to cancel its run',
    does: (people, fabric) =>
      inMidRun(people, fabric, async () => {
        await people.say('cancel', fabric, '--timeout', '5s');
      }),
  },
  {
    name: 'unlocked in the middle of a run',
    does: (people, fabric) =>
      inMidRun(people, fabric, async () => {
        await people.say('unlock', fabric);
      }),
  },
  {
    name: 'asked to sync now',
    async does(people, fabric) {
      await people.say('trigger', fabric, '--no-wait');
    },
  },
  {
    name: 'planned anew, with all others',
    async does(people) {
      await people.say('bootstrap');
    },
  },
];

export const actNames: readonly string[] = acts.map(({ name }) => name);

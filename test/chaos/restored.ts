// The faults that a restore is: what happened since the dump never was, and the daemons are told by nobody.
//
//   Q1. Between the dump and the restore one fabric is added, one removed and one paused, so that one vanishes, one comes
//       back and one is awake again, under daemons that remember otherwise, and with timers in Redis of what never was.

import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { Dice } from '../../src/dice.ts';
import { runFabricSyncd } from '../support/run-program.ts';
import { tellRestored } from './chronicle.ts';
import type { Fault } from './faults.ts';
import { addArguments, type Ground } from './ground.ts';

const betweenMs = { least: 1_000, most: 3_000 };

export const restoreFaults: readonly Fault[] = [
  restored('Postgres restored from an older dump, the daemons going on', async () => {}),
  restored('Postgres restored from an older dump, the daemons stopped', async ({ seats }) => {
    await Promise.all(seats.map((seat) => seat.stop()));
  }),
];

function restored(name: string, before: (ground: Ground) => Promise<unknown>): Fault {
  return {
    name,
    sort: 'postgres',
    lastsMs: [0, 0],
    othersGoOn: false,
    possible: ({ dumpTools, fabrics }) => dumpTools !== null && fabrics.length >= 3,
    strike: (ground, dice) => ground.alone(() => restore(ground, dice, before)),
  };
}

async function restore(ground: Ground, dice: Dice, before: (ground: Ground) => Promise<unknown>): Promise<string> {
  const { dumpTools, postgresServer, fabrics, filesDir, sql } = ground;
  const file = join(ground.dir, 'older.dump');
  const say = async (...argv: readonly string[]) => {
    const { code, stderr } = await runFabricSyncd(argv, { env: ground.peopleEnv });
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr.trim()}`);
  };
  const first = Math.floor(dice.roll() * fabrics.length);
  const [added, removed, paused] = [0, 1, 2].map((step) => fabrics[(first + step) % fabrics.length]);
  if (!added || !removed || !paused) throw new Error('there are too few fabrics');
  const add = ['fabric', 'add', ...addArguments(added, filesDir), '--no-test'];
  await say('fabric', 'remove', added.name, '--yes');
  try {
    await dumpTools?.dump(postgresServer.url, file);
    const dumpedMs = systemClock.nowMs();
    await say(...add);
    await say('fabric', 'remove', removed.name, '--yes');
    await say('pause', paused.name, '--reason', 'never was');
    await systemClock.sleep(betweenMs.least + dice.roll() * (betweenMs.most - betweenMs.least));
    await before(ground);
    const olderMs = systemClock.nowMs() - dumpedMs;
    await dumpTools?.restore(postgresServer.url, file);
    await tellRestored(sql);
    return `${(olderMs / 1_000).toFixed(1)} s older, without ${added.name}`;
  } finally {
    await say(...add).catch((cause: unknown) => {
      // Nothing was restored: it is there.
      if (!String(cause).includes('there is a fabric')) throw cause;
    });
  }
}

// kill -9 of a daemon in the middle of a run, with another one beside it.

import { systemClock } from '../../../src/clock.ts';
import { lateness } from '../figures.ts';
import type { Ground } from '../ground.ts';
import { eventually, type Scenario } from './scenario.ts';

const times = 4;
/** The lease (30 s), one sweep (5 s), the first retry (2 s at most), and the run. */
const boundMs = 40_000;
const patienceMs = 120_000;

export const killedInARun: Scenario = {
  name: 'killed-in-a-run',
  about: 'a daemon is killed (-9) in the middle of a run; another one is there',
  ground: { daemons: 2, fabrics: 10, intervalSeconds: 5 },
  async run(ground, say) {
    const untilCommit: number[] = [];
    const othersMost: number[] = [];
    for (let time = 0; time < times; time += 1) {
      const name = ground.fabrics[time]?.name ?? '';
      const beganMs = systemClock.nowMs();
      await ground.fabricProcess.setFault(name, { does: 'hang', where: { kind: 'Switch', on: 'list' } });
      const holder = await inTheMiddle(ground, name);
      const seat = ground.seats.find(({ pid }) => pid !== null && holder.includes(`/${pid}/`));
      if (!seat) throw new Error(`nobody here is ${holder}`);
      await seat.kill();
      const killedMs = systemClock.nowMs();
      await ground.fabricProcess.clearFault(name);
      const committedMs = await nextCommit(ground, name, killedMs);
      untilCommit.push(committedMs - killedMs);
      say(`killed in a run of ${name}: the next commit came ${((committedMs - killedMs) / 1_000).toFixed(1)} s later`);
      const others = ground.fabrics.map((fabric) => fabric.name).filter((other) => other !== name);
      const late = await lateness(ground.sql, { fromMs: beganMs, toMs: committedMs }, others);
      othersMost.push(Math.max(...late));
      await seat.start();
    }
    return [
      { what: 'kill -9 in a run, until its next commit', valuesMs: untilCommit, boundMs },
      { what: 'the latest of the other nine fabrics meanwhile', valuesMs: othersMost },
    ];
  },
};

/** Resolves with the holder of the lease once a list of its run hangs. */
function inTheMiddle({ sql, fabricProcess }: Ground, name: string): Promise<string> {
  return eventually(
    async () => {
      const [row] = await sql<{ holder: string }[]>`
        select c.lease_holder as holder from fabric_cycle c join fabric f on f.id = c.fabric_id
         where f.name = ${name} and c.lease_until > now()`;
      const { site } = await fabricProcess.figures(name);
      return row && site.inFlight > 0 ? row.holder : null;
    },
    patienceMs,
    `a run of ${name} is in hand`,
  );
}

function nextCommit({ sql }: Ground, name: string, sinceMs: number): Promise<number> {
  return eventually(
    async () => {
      const [row] = await sql<{ at: number }[]>`
        select (extract(epoch from r.finished_at) * 1000)::float8 as at
          from fabric_run r join fabric f on f.id = r.fabric_id
         where f.name = ${name} and r.outcome = 'complete' and r.finished_at > to_timestamp(${sinceMs}::float8 / 1000)
         order by r.id limit 1`;
      return row?.at ?? null;
    },
    patienceMs,
    `${name} is synced again`,
  );
}

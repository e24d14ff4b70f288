// Postgres is killed, stays away for a while, and comes back.

import { systemClock } from '../../../src/clock.ts';
import type { Ground } from '../ground.ts';
import { allSynced } from '../storm.ts';
import type { Finding, Scenario } from './scenario.ts';

const times = 3;
const boundMs = 5_000;
const awayMs = 10_000;
const betweenMs = 2_300;
const patienceMs = 120_000;
/** Slow ones are in the middle of a run more often than not. */
const slowMs = 700;
const slowCount = 4;

export const postgresBack: Scenario = {
  name: 'postgres-back',
  about: 'Postgres is killed (-9), is away for ten seconds, and comes back',
  ground: { daemons: 2, fabrics: 20, intervalSeconds: 5 },
  async run(ground, say) {
    const atRest: number[] = [];
    const inARun: number[] = [];
    for (let time = 0; time < times; time += 1) {
      for (const { name } of ground.fabrics.slice(0, slowCount)) {
        await ground.fabricProcess.setFault(name, { does: 'slow', ms: slowMs, where: { on: 'list' } });
      }
      await systemClock.sleep(betweenMs);
      const working = new Set(await leased(ground));
      await ground.postgresServer.kill();
      await systemClock.sleep(awayMs);
      await ground.postgresServer.restart();
      const backMs = systemClock.nowMs();
      if ((await allSynced(ground, backMs, patienceMs)) === null) throw new Error('not every fabric was synced again');
      const begun = await firstRuns(ground, backMs);
      const waited = (which: (name: string) => boolean) =>
        [...begun].filter(([name]) => which(name)).map(([, atMs]) => atMs - backMs);
      atRest.push(Math.max(...waited((name) => !working.has(name))));
      if (working.size > 0) inARun.push(Math.max(...waited((name) => working.has(name))));
      say(
        `Postgres back: the last fabric was begun ${Math.round(atRest.at(-1) ?? 0)} ms later` +
          (working.size > 0
            ? `, of the ${working.size} that were in a run ${Math.round(inARun.at(-1) ?? 0)} ms later`
            : ''),
      );
    }
    const findings: Finding[] = [
      { what: 'Postgres back, until the last fabric at rest is begun', valuesMs: atRest, boundMs },
    ];
    findings.push({ what: 'Postgres back, until the last one that was in a run is begun', valuesMs: inARun, boundMs });
    return findings;
  },
};

async function leased({ sql }: Ground): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    select f.name from fabric f join fabric_cycle c on c.fabric_id = f.id where c.lease_until > now()`;
  return rows.map(({ name }) => name);
}

/** When each fabric was first claimed after that, epoch milliseconds. */
async function firstRuns({ sql }: Ground, sinceMs: number): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ name: string; at: number }[]>`
    select f.name, (extract(epoch from min(r.started_at)) * 1000)::float8 as at
      from fabric_run r join fabric f on f.id = r.fabric_id
     where r.started_at > to_timestamp(${sinceMs}::float8 / 1000) group by f.name`;
  return new Map(rows.map(({ name, at }) => [name, at]));
}

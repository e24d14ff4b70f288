// One fabric of 10,000 objects: the first sync, one that finds nothing new, and one that finds 1 % changed.

import type { Sql } from 'postgres';
import { type BenchDaemon, until } from '../bed.ts';
import type { Figure, Scenario } from '../figure.ts';
import { addFleet, assertAllComplete } from '../fleet.ts';
import { cpuMs, forgetPeak, peakMiB, rssMiB } from '../process-figures.ts';

const startMsMax = 30_000;
const changedObjects = 100;

export const large: Scenario = {
  name: 'large',
  about: 'one fabric of 10,000 objects: wall time from `locked` to rest, CPU of the daemon, rows written',
  notMeasured: [
    'CPU comes from the kernel in steps of 10 ms. The fabric’s API server and Postgres work on the same two cores.',
    'Postgres does not wait for the disk (fsync off), as the demo runs it.',
    'Rows written are rows of the inventory (resources and changes), found by the transaction that wrote them.',
  ],
  async run({ bed }) {
    return bed.stage(async ({ sql, fabrics, daemon }) => {
      const facts = await fabrics.start({ name: 'large', shape: 'large' });
      const farm = { urls: [facts.url], caPem: facts.caPem, token: facts.token };
      const [fabricId = ''] = await addFleet(sql, { farm, key: bed.key, intervalSeconds: 86_400, lastSync: 'never' });
      // No timer: each sync is asked for, when its figures are wanted.
      await sql`update fabric set scheduler_enabled = false`;
      const one = await daemon();
      await one.keeps(1, startMsMax);
      const times = await heard(one);
      const idle = await rssMiB(one.pid);
      const sync = async (name: string, wallMs: number, rowsAtMost?: number): Promise<readonly Figure[]> => {
        const [before] = await sql<{ xmax: string }[]>`select pg_snapshot_xmax(pg_current_snapshot())::text as xmax`;
        const cpuBefore = await cpuMs(one.pid);
        await forgetPeak(one.pid);
        await one.health();
        times.length = 0;
        await sql`insert into fabric_request (fabric_id, asked_by) values (${fabricId}::bigint, 'bench')`;
        await until(() => times.length === 2, startMsMax, `${name} is over`);
        const { event_loop_delay: delay } = await one.health();
        await assertAllComplete(sql);
        const [began = 0, ended = 0] = times;
        return [
          { name: `${name}: wall`, value: ended - began, unit: 'ms', bound: { atMost: wallMs } },
          { name: `${name}: CPU of the daemon`, value: (await cpuMs(one.pid)) - cpuBefore, unit: 'ms' },
          {
            name: `${name}: rows written`,
            value: await rowsWritten(sql, before?.xmax ?? '0'),
            unit: 'rows',
            ...(rowsAtMost !== undefined && { bound: { atMost: rowsAtMost } }),
          },
          { name: `${name}: event loop delay p99`, value: delay.p99_ms, unit: 'ms', bound: { atMost: 50 } },
          { name: `${name}: event loop delay max`, value: delay.max_ms, unit: 'ms' },
          { name: `${name}: memory, peak`, value: await peakMiB(one.pid), unit: 'MiB' },
        ];
      };
      const first = await sync('first sync', 2_500);
      const unchanged = await sync('unchanged', 800, 0);
      const changed = await fabrics.act('large', 'describeServers', changedObjects);
      if (changed !== changedObjects) throw new Error(`${changed} objects were changed, not ${changedObjects}`);
      const some = await sync('1 % changed', 900);
      return [{ name: 'memory before the first sync', value: idle, unit: 'MiB' }, ...first, ...unchanged, ...some];
    });
  },
};

/** When it was locked, and when it rested again: the daemon's own times, epoch milliseconds. */
async function heard(daemon: BenchDaemon): Promise<number[]> {
  const times: number[] = [];
  await daemon.hear((tiding) => {
    if (tiding.type !== 'transition') return;
    const rests = tiding.from.startsWith('syncing') && !tiding.to.startsWith('syncing');
    if (tiding.to === 'locked.acquiring' || rests) times.push(Date.parse(tiding.at));
  });
  return times;
}

/** Rows of the inventory whose present version was written since. */
async function rowsWritten(sql: Sql, sinceXid: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select ((select count(*) from fabric_resource where xmin::text::bigint >= ${sinceXid}::bigint)
          + (select count(*) from fabric_change where xmin::text::bigint >= ${sinceXid}::bigint))::int as n`;
  return row?.n ?? Number.NaN;
}

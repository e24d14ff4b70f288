// What a storm can do to the ground. Each fault strikes at once; `healAll` of the ground undoes all of them.

import { systemClock } from '../../src/clock.ts';
import type { Fault as FabricFault } from '../../src/demo/fabrics/faults.ts';
import type { Dice } from '../../src/dice.ts';
import type { Ground } from './ground.ts';
import { restoreFaults } from './restored.ts';
import type { Seat } from './seat.ts';

export interface Fault {
  readonly name: string;
  /** Two faults at once are never of one sort. */
  readonly sort: 'daemon' | 'redis' | 'postgres' | 'wire' | 'fabric';
  /** How long it stays before it is healed. */
  readonly lastsMs: readonly [least: number, most: number];
  /** Where others go on meanwhile: everything must be well again without any healing. */
  readonly othersGoOn: boolean;
  /** False where it cannot be had on this ground. */
  readonly possible?: (ground: Ground) => boolean;
  /** @returns what was struck, in words */
  strike(ground: Ground, dice: Dice): Promise<string>;
}

function oneOf<Thing>(things: readonly Thing[], dice: Dice): Thing {
  const thing = things[Math.floor(dice.roll() * things.length)];
  if (thing === undefined) throw new Error('there is nothing to choose from');
  return thing;
}

const several = ({ seats }: Ground): boolean => seats.length > 1;
const hasLockNodes = ({ lockServers }: Ground): boolean => lockServers.length > 0;

const slowMs = 300;
const atWorkMsMax = 3_000;
const lookEveryMs = 10;

/** Somebody who is in the middle of a run, which is made long enough for it; anybody, where nobody comes to that in time. */
async function atWork({ sql, seats, fabrics, fabricProcess }: Ground, dice: Dice): Promise<Seat> {
  const { name } = oneOf(fabrics, dice);
  await fabricProcess.setFault(name, { does: 'slow', ms: slowMs, where: { on: 'list' } });
  const deadlineMs = systemClock.monotonicMs() + atWorkMsMax;
  while (systemClock.monotonicMs() < deadlineMs) {
    const holders = await sql<{ holder: string }[]>`
      select c.lease_holder as holder from fabric_cycle c join fabric f on f.id = c.fabric_id
       where f.name = ${name} and c.lease_until > now()`.catch(() => []);
    const found = seats.find(({ pid }) => pid !== null && holders.some(({ holder }) => holder.includes(`/${pid}/`)));
    if (found) return found;
    await systemClock.sleep(lookEveryMs);
  }
  return oneOf(seats, dice);
}

const wireFault = (
  name: string,
  to: 'redis' | 'postgres',
  lastsMs: Fault['lastsMs'],
  act: (wire: Seat['redis']) => void,
): Fault => ({
  name,
  sort: 'wire',
  lastsMs,
  othersGoOn: false,
  async strike({ seats }, dice) {
    const seat = oneOf(seats, dice);
    act(seat[to]);
    return seat.name;
  },
});

const fabricFault = (name: string, lastsMs: Fault['lastsMs'], deed: FabricFault): Fault => ({
  name: `a fabric ${name}`,
  sort: 'fabric',
  lastsMs,
  othersGoOn: false,
  async strike({ fabrics, fabricProcess }, dice) {
    const fabric = oneOf(fabrics, dice);
    await fabricProcess.setFault(fabric.name, deed);
    return fabric.name;
  },
});

/** @param leaseTtlMs of the daemons: some faults outlast it on purpose */
export function faultsFor(leaseTtlMs: number): readonly Fault[] {
  const longer: readonly [number, number] = [leaseTtlMs * 1.3, leaseTtlMs * 1.8];
  const shorter: readonly [number, number] = [leaseTtlMs * 0.2, leaseTtlMs * 0.6];
  return [
    {
      name: 'a daemon at work killed (-9)',
      sort: 'daemon',
      lastsMs: [0, 0],
      othersGoOn: true,
      possible: several,
      async strike(ground, dice) {
        const seat = await atWork(ground, dice);
        await seat.kill();
        return seat.name;
      },
    },
    {
      name: 'every daemon killed (-9)',
      sort: 'daemon',
      lastsMs: [0, 2_000],
      othersGoOn: false,
      async strike({ seats }) {
        await Promise.all(seats.map((seat) => seat.kill()));
        return 'all';
      },
    },
    {
      name: 'a daemon restarted in order',
      sort: 'daemon',
      lastsMs: [0, 500],
      othersGoOn: false,
      async strike({ seats }, dice) {
        const seat = oneOf(seats, dice);
        const how = await seat.stop();
        if (how !== 0 && how !== null) seat.endedByItself.push(`${seat.name} was told to stop and ended with ${how}`);
        return seat.name;
      },
    },
    {
      name: 'a daemon stopped for less than its lease',
      sort: 'daemon',
      lastsMs: shorter,
      othersGoOn: false,
      async strike(ground, dice) {
        const seat = await atWork(ground, dice);
        seat.standStill();
        return seat.name;
      },
    },
    {
      name: 'a daemon stopped for longer than its lease',
      sort: 'daemon',
      lastsMs: longer,
      othersGoOn: false,
      async strike(ground, dice) {
        const seat = await atWork(ground, dice);
        seat.standStill();
        return seat.name;
      },
    },
    {
      name: 'Redis flushed',
      sort: 'redis',
      lastsMs: [0, 0],
      othersGoOn: true,
      async strike({ redis }) {
        await redis.flushall();
        return 'all keys';
      },
    },
    {
      name: 'Redis killed (-9)',
      sort: 'redis',
      lastsMs: [0, 3_000],
      othersGoOn: false,
      async strike({ redisServer }) {
        await redisServer.kill();
        return 'the process';
      },
    },
    {
      name: 'Redis restarted in order',
      sort: 'redis',
      lastsMs: [0, 500],
      othersGoOn: false,
      async strike({ redisServer }) {
        await redisServer.stop();
        return 'the process';
      },
    },
    {
      name: 'Redis standing still',
      sort: 'redis',
      lastsMs: [500, 4_000],
      othersGoOn: false,
      async strike({ redisServer }) {
        redisServer.pause();
        return 'the process';
      },
    },
    {
      name: 'the disk of Redis full',
      sort: 'redis',
      lastsMs: [2_000, 5_000],
      othersGoOn: false,
      possible: ({ disk }) => disk !== null,
      async strike({ disk }) {
        await disk?.fill();
        return 'its append-only file';
      },
    },
    {
      name: 'Redis out of memory',
      sort: 'redis',
      lastsMs: [1_000, 4_000],
      othersGoOn: false,
      async strike({ redis }) {
        await redis.config('SET', 'maxmemory', '1');
        return 'every write';
      },
    },
    {
      name: 'clients thrown out by Redis',
      sort: 'redis',
      lastsMs: [0, 0],
      othersGoOn: true,
      async strike({ redis }) {
        await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
        await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        return 'all';
      },
    },
    {
      name: 'one of three lock nodes killed (-9)',
      sort: 'redis',
      lastsMs: [0, 3_000],
      othersGoOn: true,
      possible: hasLockNodes,
      async strike({ lockServers }, dice) {
        const node = oneOf(lockServers, dice);
        await node.kill();
        return `port ${node.port}`;
      },
    },
    {
      name: 'two of three lock nodes standing still',
      sort: 'redis',
      lastsMs: [1_000, 4_000],
      othersGoOn: false,
      possible: hasLockNodes,
      async strike({ lockServers }, dice) {
        const spared = oneOf(lockServers, dice);
        for (const node of lockServers) if (node !== spared) node.pause();
        return `all but port ${spared.port}`;
      },
    },
    {
      name: 'Postgres killed (-9)',
      sort: 'postgres',
      lastsMs: [0, 3_000],
      othersGoOn: false,
      async strike({ postgresServer }) {
        await postgresServer.kill();
        return 'every process';
      },
    },
    {
      name: 'Postgres restarted in order',
      sort: 'postgres',
      lastsMs: [0, 0],
      othersGoOn: true,
      async strike({ postgresServer }) {
        await postgresServer.restart();
        return 'the server';
      },
    },
    {
      name: 'backends terminated',
      sort: 'postgres',
      lastsMs: [0, 0],
      othersGoOn: true,
      async strike({ sql }) {
        const ended = await sql`
          select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'fabric-syncd %'`;
        return `${ended.count} of them`;
      },
    },
    ...restoreFaults,
    wireFault('a wire to Redis cut', 'redis', [500, 4_000], (wire) => wire.cut()),
    wireFault('a wire to Redis slow', 'redis', [1_000, 4_000], (wire) => wire.slow(150)),
    wireFault('a wire to Redis silent', 'redis', [1_000, 5_000], (wire) => wire.freeze()),
    wireFault('connections to Redis reset', 'redis', [0, 0], (wire) => wire.jerk()),
    wireFault('a wire to Postgres cut', 'postgres', [500, 4_000], (wire) => wire.cut()),
    wireFault('a wire to Postgres slow', 'postgres', [1_000, 4_000], (wire) => wire.slow(80)),
    wireFault('a wire to Postgres silent', 'postgres', [1_000, 5_000], (wire) => wire.freeze()),
    wireFault('connections to Postgres reset', 'postgres', [0, 0], (wire) => wire.jerk()),
    fabricFault('refusing', [500, 4_000], { does: 'refuse' }),
    fabricFault('silent', [500, 4_000], { does: 'silent' }),
    fabricFault('hanging', [500, 4_000], { does: 'hang' }),
    fabricFault('failing', [500, 4_000], { does: 'status', status: 503 }),
    fabricFault('throttling', [500, 3_000], { does: 'status', status: 429, retryAfterS: 1 }),
    fabricFault('refusing the credential', [500, 2_000], { does: 'status', status: 401 }),
    fabricFault('with an expired certificate', [500, 2_000], { does: 'certificate', which: 'expired' }),
    fabricFault('resetting', [500, 3_000], { does: 'reset' }),
    fabricFault('stalling', [500, 4_000], { does: 'stall', where: { on: 'list' } }),
    fabricFault('cutting its answers short', [500, 3_000], { does: 'truncate' }),
    fabricFault('without some kind', [500, 3_000], { does: 'status', status: 403, where: { kind: 'VPC' } }),
  ];
}

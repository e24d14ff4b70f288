// One look at the daemon and its servers, from outside but for the probe.

import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import { askDaemon } from '../../src/admin/client.ts';
import { systemClock } from '../../src/clock.ts';
import { redisKeys } from '../../src/redis/keys.ts';
import { rssMiB } from '../bench/process-figures.ts';
import type { Sample } from './measures.ts';
import type { ProbeAnswer } from './probe.ts';

export interface Gauged {
  readonly pid: number;
  readonly adminSocket: string;
  readonly probeSocket: string;
  readonly sql: Sql;
  readonly redis: Redis;
  readonly redisPort: number;
}

const mib = 2 ** 20;
const answerMsMax = 10_000;

/** @param collect also measures the heap after a collection, which takes the daemon some tens of milliseconds */
export async function look(gauged: Gauged, collect: boolean): Promise<Sample> {
  const { pid, sql, redis, redisPort } = gauged;
  const [probe, rss, sockets, threads, health] = await Promise.all([
    askProbe(gauged.probeSocket, 'look'),
    rssMiB(pid),
    socketsOf(pid, redisPort),
    readdir(`/proc/${pid}/task`),
    askDaemon(gauged.adminSocket, '/v1/health', AbortSignal.timeout(answerMsMax)),
  ]);
  const names = redisKeys('fabric-syncd');
  const [memory, keys, timers] = await Promise.all([
    redis.info('memory'),
    // Of this one installation there are as many keys as fabrics at most.
    redis.keys('*'),
    redis.zcard(names.timers),
  ]);
  const [tables] = await sql<Record<string, number>[]>`
    select (select count(*)::int from fabric) as fabrics,
           (select count(*)::int from fabric_run) as runs,
           (select count(*)::int from fabric_change) as changes,
           pg_total_relation_size('fabric_run')::float8 as fabric_run,
           pg_total_relation_size('fabric_change')::float8 as fabric_change,
           pg_total_relation_size('fabric')::float8 as fabric,
           pg_total_relation_size('fabric_cycle')::float8 as fabric_cycle,
           pg_total_relation_size('fabric_resource')::float8 as fabric_resource,
           pg_total_relation_size('fabric_quarantine')::float8 as fabric_quarantine,
           (select count(*)::int from pg_stat_activity
             where datname = current_database() and application_name like 'fabric-syncd %/%') as connections`;
  const found = (name: string) => tables?.[name] ?? Number.NaN;
  const delay = (health as { event_loop_delay?: { p99_ms: number } | null } | null)?.event_loop_delay;
  const collected = collect ? await askProbe(gauged.probeSocket, 'collect') : null;
  return {
    at_ms: systemClock.monotonicMs(),
    runs: found('runs'),
    resident: rss,
    heapUsed: probe.heap_used_bytes / mib,
    ...(collected && { heapCollected: collected.heap_used_bytes / mib, external: collected.external_bytes / mib }),
    descriptors: sockets.descriptors,
    socketsRedis: sockets.redis,
    socketsFabrics: sockets.tcp - sockets.redis,
    socketsUnix: sockets.all - sockets.tcp,
    postgresConnections: found('connections'),
    nodeTimers: probe.resources.Timeout ?? 0,
    threads: threads.length,
    redisKeys: keys.filter((key) => !key.startsWith(names.lock(''))).length,
    redisMemory: Number(/^used_memory:(\d+)/m.exec(memory)?.[1]) / mib,
    timersPerFabric: timers / found('fabrics'),
    ...(delay && { eventLoopDelay: delay.p99_ms }),
    runBytes: perRow(found('fabric_run'), found('runs')),
    changeBytes: perRow(found('fabric_change'), found('changes')),
    fabricTable: found('fabric') / mib,
    cycleTable: found('fabric_cycle') / mib,
    resourceTable: found('fabric_resource') / mib,
    quarantineTable: found('fabric_quarantine') / mib,
  };
}

/** An empty table has its first pages and indexes already: they are nobody's bytes. */
const perRow = (bytes: number, rows: number): number => Math.max(0, bytes - 64 * 1024) / Math.max(1, rows);

async function askProbe(path: string, question: 'look' | 'collect'): Promise<ProbeAnswer> {
  const socket = connect(path);
  socket.setTimeout(answerMsMax, () => socket.destroy(new Error('the probe in the daemon does not answer')));
  socket.write(`${question}\n`);
  for await (const line of createInterface({ input: socket })) return JSON.parse(line) as ProbeAnswer;
  throw new Error('the probe in the daemon closed without an answer');
}

interface SocketCounts {
  readonly descriptors: number;
  readonly all: number;
  readonly tcp: number;
  readonly redis: number;
}

/** By the kernel's own tables: which descriptors are sockets, and where the TCP ones lead to. */
async function socketsOf(pid: number, redisPort: number): Promise<SocketCounts> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  const inodes = new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []));
  const peers = new Map((await Promise.all(['tcp', 'tcp6'].map((table) => peersIn(pid, table)))).flat());
  const ports = [...inodes].flatMap((inode) => peers.get(inode) ?? []);
  return {
    descriptors: names.length,
    all: inodes.size,
    tcp: ports.length,
    redis: ports.filter((port) => port === redisPort).length,
  };
}

/** Inode and the other end's port, of each TCP socket of its network. */
async function peersIn(pid: number, table: string): Promise<readonly (readonly [string, number])[]> {
  const text = await readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const port = fields[2]?.split(':')[1];
    const inode = fields[9];
    return port === undefined || inode === undefined || !/^\d+$/.test(inode)
      ? []
      : [[inode, Number.parseInt(port, 16)] as const];
  });
}

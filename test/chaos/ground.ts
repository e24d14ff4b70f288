// What a storm rages over: a PostgreSQL, a Redis with an append-only file (and three more for the lock, where wanted),
// simulated fabrics in a process of their own, and daemons, each behind wires of its own.
//
// Each daemon bears tokens of its own, so that a fabric's request log says who asked.
//
//   G1. `healAll` makes everything right again that can be made wrong here, whatever was done before. Safe to repeat.
//   G2. Everything that is started here is ended with it, also when a storm failed; all of it is on loopback.

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import { systemClock } from '../../src/clock.ts';
import { type FabricProcess, startFabricProcess } from '../../src/demo/fabrics/process.ts';
import type { FabricFacts } from '../../src/demo/fabrics/protocol.ts';
import type { ShapeName } from '../../src/demo/fabrics/shapes/shape.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../../src/demo/servers/postgres.ts';
import { findRedis, type PrivateRedis, redisAdvice, startPrivateRedis } from '../../src/demo/servers/redis.ts';
import { arrayTypes } from '../../src/postgres/arrays.ts';
import { openDatabase } from '../../src/postgres/connect.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { callWitness } from '../support/process/witness.ts';
import { openChronicle } from './chronicle.ts';
import { type DumpTools, findDumpTools } from './restore.ts';
import { Seat } from './seat.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { openWire, type Wire } from './wire.ts';

export interface GroundOptions {
  readonly daemons: number;
  readonly fabrics: number;
  readonly shape: ShapeName;
  readonly intervalSeconds: number;
  /** Three nodes for the lock, beside the Redis of the timers. */
  readonly lockNodes: boolean;
  /** The daemons' settings. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Ground {
  readonly dir: string;
  /** To look at the rows, past all wires. */
  readonly sql: Sql;
  readonly redisServer: PrivateRedis;
  /** To meddle with Redis; it may be away. */
  readonly redis: Redis;
  readonly lockServers: readonly PrivateRedis[];
  readonly postgresServer: PrivatePostgres;
  readonly fabricProcess: FabricProcess;
  /** All that are served, whether anybody has added them or not; with a token that only the checker bears. */
  readonly fabrics: readonly FabricFacts[];
  /** Of which somebody is changing something: they need not be in sync. */
  readonly inHands: Set<string>;
  /** What the program is given by people: no wire is between them and the servers. */
  readonly peopleEnv: Readonly<Record<string, string>>;
  /** Where the CA of each fabric lies, as a file that a command can be given. */
  readonly filesDir: string;
  /** Every token, and what was given as one. */
  readonly secrets: readonly string[];
  /** Null where they are not installed. */
  readonly dumpTools: DumpTools | null;
  readonly seats: readonly Seat[];
  /** Null where it could not be mounted. */
  readonly disk: SmallDisk | null;
  /** Seconds between two syncs of a fabric. */
  readonly intervalSeconds: number;
  /** One after the other. */
  alone<Result>(act: () => Promise<Result>): Promise<Result>;
  healAll(): Promise<void>;
  close(): Promise<void>;
}

export const redisPrefix = 'chaos';
/** Who looks at what the fabrics serve, beside the daemons. */
export const checker = 'the checker';
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const lockNodesCount = 3;

export async function openGround(options: GroundOptions): Promise<Ground> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const act of undo.splice(0).reverse()) await act();
  };
  try {
    return await lay(options, undo, close);
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function lay(
  options: GroundOptions,
  undo: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Ground> {
  const dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-chaos-'));
  undo.push(() => rm(dir, { recursive: true, force: true }));
  const found = await findRedis({});
  if (!found) throw new Error(redisAdvice);
  const redisDir = join(dir, 'redis');
  const disk = await mountSmallDisk(redisDir);
  if (disk) undo.push(() => disk.unmount());
  const redisServer = await startPrivateRedis({ dir: redisDir, binary: found.binary });
  undo.push(() => redisServer.stop());
  const lockServers: PrivateRedis[] = [];
  for (let node = 1; options.lockNodes && node <= lockNodesCount; node += 1) {
    const server = await startPrivateRedis({ dir: join(dir, `lock-${node}`), binary: found.binary });
    lockServers.push(server);
    undo.push(() => server.stop());
  }
  const redis = new Redis(redisServer.url, { maxRetriesPerRequest: 1, retryStrategy: () => 100 });
  redis.on('error', () => {});
  undo.push(async () => redis.disconnect());
  const postgresServer = await startPrivatePostgres({ dir: join(dir, 'postgres') });
  undo.push(() => postgresServer.stop());
  const socketDir = new URL(postgresServer.url).searchParams.get('host') ?? '';
  await prepare(postgresServer.url);
  const sql = postgres({
    host: socketDir,
    username: 'postgres',
    database: 'postgres',
    max: 3,
    onnotice() {},
    connect_timeout: 5,
    fetch_types: false,
    types: arrayTypes,
  });
  undo.push(() => sql.end({ timeout: 1 }));
  await callWitness(sql);
  await openChronicle(sql);

  const fabricProcess = await startFabricProcess({ clock: systemClock });
  undo.push(() => fabricProcess.stop());
  const names = Array.from({ length: options.daemons }, (_, index) => `daemon ${index + 1}`);
  const filesDir = join(dir, 'files');
  await mkdir(filesDir);
  const { fabrics, secrets } = await enrol(sql, fabricProcess, { filesDir, clients: names }, options);
  const key = randomBytes(32).toString('base64');
  const keyFile = join(filesDir, 'key');
  await writeFile(keyFile, `${key}\n`, { mode: 0o600 });

  const seats: Seat[] = [];
  // Each for itself: who does not end must not keep the others.
  undo.push(() => Promise.allSettled(seats.map((seat) => seat.kill())));
  for (let index = 1; index <= options.daemons; index += 1) {
    const wires: Wire[] = [
      await openWire({ port: redisServer.port }),
      await openWire({ path: join(socketDir, '.s.PGSQL.5432') }),
    ];
    const [toRedis, toPostgres] = wires as [Wire, Wire];
    undo.push(() => Promise.all(wires.map((wire) => wire.close())));
    const seatDir = join(dir, `seat-${index}`);
    await mkdir(seatDir);
    const env = {
      PATH: process.env.PATH ?? '',
      DATABASE_URL: `postgres://postgres@127.0.0.1:${toPostgres.port}/postgres`,
      REDIS_URL: `redis://127.0.0.1:${toRedis.port}`,
      ...(lockServers.length > 0 && { FABRIC_SYNCD_LOCK_REDIS_URLS: lockServers.map(({ url }) => url).join(',') }),
      FABRIC_SYNCD_REDIS_PREFIX: redisPrefix,
      FABRIC_SYNCD_ADMIN_SOCKET: join(seatDir, 'admin.sock'),
      FABRIC_SYNCD_LOG_FORMAT: 'json',
      CREDENTIALS_DIRECTORY: join(filesDir, `daemon ${index}`),
      ...options.settings,
    };
    seats.push(new Seat({ index, main, dir: seatDir, env, redis: toRedis, postgres: toPostgres }));
  }

  let turn: Promise<unknown> = Promise.resolve();
  return {
    dir,
    sql,
    inHands: new Set(),
    filesDir,
    secrets: [...secrets, key],
    dumpTools: await findDumpTools(postgresServer),
    peopleEnv: {
      USER: 'people',
      DATABASE_URL: postgresServer.url,
      REDIS_URL: redisServer.url,
      ...(lockServers.length > 0 && { FABRIC_SYNCD_LOCK_REDIS_URLS: lockServers.map(({ url }) => url).join(',') }),
      FABRIC_SYNCD_REDIS_PREFIX: redisPrefix,
      FABRIC_SYNCD_ADMIN_SOCKET: join(dir, 'seat-1', 'admin.sock'),
      FABRIC_SYNCD_KEY_FILE: keyFile,
      FABRIC_SYNCD_LEASE_TTL: options.settings.FABRIC_SYNCD_LEASE_TTL ?? '30s',
    },
    alone(act) {
      const done = turn.then(act);
      turn = done.catch(() => {});
      return done;
    },
    redis,
    redisServer,
    lockServers,
    postgresServer,
    fabricProcess,
    fabrics,
    seats,
    disk,
    intervalSeconds: options.intervalSeconds,
    async healAll() {
      await disk?.free();
      redisServer.resume();
      for (const server of [redisServer, ...lockServers]) {
        server.resume();
        await server.start();
      }
      await redis.config('SET', 'maxmemory', '0').catch(() => {});
      if (!(await isAnswering(sql))) await postgresServer.restart();
      for (const seat of seats) {
        seat.redis.mend();
        seat.postgres.mend();
        seat.goOn();
        await seat.start();
      }
      for (const { name } of fabrics) await fabricProcess.clearFault(name);
    },
    close,
  };
}

async function prepare(url: string): Promise<void> {
  const database = openDatabase({ url, connectionsMax: 1, applicationName: 'chaos' });
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
}

async function isAnswering(sql: Sql): Promise<boolean> {
  return sql`select 1`.then(
    () => true,
    () => false,
  );
}

async function enrol(
  sql: Sql,
  fabricProcess: FabricProcess,
  { filesDir, clients }: { readonly filesDir: string; readonly clients: readonly string[] },
  { fabrics: count, shape, intervalSeconds }: GroundOptions,
): Promise<{ readonly fabrics: readonly FabricFacts[]; readonly secrets: readonly string[] }> {
  const fabrics: FabricFacts[] = [];
  const secrets: string[] = [];
  for (const client of clients) await mkdir(join(filesDir, client));
  for (let index = 1; index <= count; index += 1) {
    const tokens = Object.fromEntries([checker, ...clients].map((client) => [client, tokenOf(client)]));
    const facts = await fabricProcess.start({ name: `fabric-${index}`, shape, clients: tokens });
    const wrong = tokenOf('wrong');
    for (const client of clients) {
      const give = (name: string, token: string) => writeFile(join(filesDir, client, name), token, { mode: 0o600 });
      await give(facts.name, tokens[client] ?? '');
      await give(`${facts.name}.wrong`, wrong);
    }
    await writeFile(join(filesDir, `${facts.name}.ca`), facts.caPem);
    secrets.push(facts.token, wrong, ...Object.values(tokens));
    // What people do here is never held back for an approval: that is the business of other tests.
    await sql`
      insert into fabric (name, kubernetes_server, kubernetes_ca_cert, credential_ref, sync_interval, guard_count)
      values (${facts.name}, ${facts.url}, ${facts.caPem}, ${`credential:${facts.name}`}, ${intervalSeconds}, 100000)`;
    fabrics.push({ ...facts, token: tokens[checker] ?? '' });
  }
  return { fabrics, secrets };
}

const tokenOf = (client: string): string => `${client.replace(' ', '-')}.${randomBytes(18).toString('base64url')}`;

/** The same fabric once more, by the program. */
export function addArguments({ name, url }: FabricFacts, filesDir: string): readonly string[] {
  return [
    ...[name, '--server', url, '--ca-file', join(filesDir, `${name}.ca`), '--token-ref', `credential:${name}`],
    ...['--interval', '1s', '--guard-count', '100000'],
  ];
}

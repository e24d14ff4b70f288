// What every scenario stands on: a PostgreSQL, a Redis and simulated fabrics, each in processes of their own, and the
// daemon as a process, as systemd would start it.
//
//   B1. Each scenario gets an empty database and an empty Redis.
//   B2. Nothing is asked of the daemon that an operator could not ask: its socket, its rows, its log, and /proc.
//   B3. Whatever was started is ended with the bed, also when a scenario failed.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import { askDaemon, hearDaemon } from '../../src/admin/client.ts';
import type { Tiding } from '../../src/admin/tidings.ts';
import { systemClock } from '../../src/clock.ts';
import { type DaemonProcess, startDaemonProcess } from '../../src/demo/daemon-process.ts';
import { type FabricProcess, startFabricProcess } from '../../src/demo/fabrics/process.ts';
import { type PrivatePostgres, startPrivatePostgres } from '../../src/demo/servers/postgres.ts';
import { findRedis, type PrivateRedis, redisAdvice, startPrivateRedis } from '../../src/demo/servers/redis.ts';
import { generateKey, readKey, type SealingKey } from '../../src/kube/sealing.ts';
import { openDatabase } from '../../src/postgres/connect.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { emptyDatabase } from '../support/postgres.ts';

export interface Bed {
  readonly dir: string;
  readonly redisServer: PrivateRedis;
  readonly postgresServer: PrivatePostgres;
  /** To look at Redis; it sends nothing while it is not asked. */
  readonly redis: Redis;
  readonly key: SealingKey;
  /** An empty, migrated database, an empty Redis and a process for simulated fabrics, for the length of one scenario. */
  stage<Figures>(work: (stage: Stage) => Promise<Figures>): Promise<Figures>;
  close(): Promise<void>;
}

export interface Stage {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** To look at the rows; one connection. */
  readonly sql: Sql;
  readonly fabrics: FabricProcess;
  /** Starts the daemon; it is ended with the stage. */
  daemon(settings?: Readonly<Record<string, string>>): Promise<BenchDaemon>;
}

export interface BenchDaemon {
  readonly pid: number;
  /** Resolves when the daemon says that it keeps its fabrics: all of them are planned, and timers are served. */
  keeps(fabrics: number, withinMs: number): Promise<void>;
  health(): Promise<Health>;
  hear(tell: (tiding: Tiding) => void): Promise<void>;
  stop(): Promise<void>;
}

/** What `/v1/health` says, as far as it is read here. */
export interface Health {
  readonly ok: boolean;
  readonly why: string;
  readonly fabrics: Readonly<Record<string, number>>;
  readonly running: number;
  readonly event_loop_delay: { readonly p50_ms: number; readonly p99_ms: number; readonly max_ms: number };
}

export interface BedOptions {
  readonly main: string;
  /** In the daemon's `NODE_OPTIONS`. */
  readonly daemonNodeOptions: string;
}

export async function openBed({ main, daemonNodeOptions }: BedOptions): Promise<Bed> {
  const dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-bench-'));
  const undo: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const act of undo.splice(0).reverse()) await act();
  };
  try {
    const found = await findRedis({});
    if (!found) throw new Error(redisAdvice);
    const redisServer = await startPrivateRedis({ dir: join(dir, 'redis'), binary: found.binary });
    undo.push(() => redisServer.stop());
    const postgresServer = await startPrivatePostgres({ dir: join(dir, 'postgres') });
    undo.push(() => postgresServer.stop());
    const redis = new Redis(redisServer.url);
    undo.push(async () => redis.disconnect());
    const keyFile = join(dir, 'key');
    const key = generateKey();
    await writeFile(keyFile, key, { mode: 0o600 });

    const daemon = async (env: Readonly<Record<string, string>>): Promise<BenchDaemon> => {
      const runDir = await mkdtemp(join(dir, 'daemon-'));
      await mkdir(runDir, { recursive: true });
      const adminSocket = join(runDir, 'admin.sock');
      const logFile = join(runDir, 'log');
      const daemonProcess = await startDaemonProcess({
        main,
        env: {
          FABRIC_SYNCD_KEY_FILE: keyFile,
          FABRIC_SYNCD_ADMIN_SOCKET: adminSocket,
          FABRIC_SYNCD_LOG_FORMAT: 'json',
          ...(daemonNodeOptions && { NODE_OPTIONS: daemonNodeOptions }),
          ...env,
        },
        logFile,
        clock: systemClock,
      });
      return watch(daemonProcess, adminSocket, logFile);
    };

    return {
      dir,
      redisServer,
      postgresServer,
      redis,
      key: readKey(key),
      async stage(work) {
        const ends: (() => Promise<unknown>)[] = [];
        const end = async () => {
          for (const act of ends.splice(0).reverse()) await act();
        };
        // A signal ends the bed in the middle of a scenario.
        undo.push(end);
        try {
          await redis.flushall();
          const database = await emptyDatabase(postgresServer.url);
          ends.push(() => database.drop());
          await migrateOnce(database.url);
          const sql = openSql(postgresServer.url, database.name);
          ends.push(() => sql.end());
          const fabrics = await startFabricProcess({ clock: systemClock });
          ends.push(() => fabrics.stop());
          return await work({
            databaseUrl: database.url,
            redisUrl: redisServer.url,
            sql,
            fabrics,
            async daemon(settings = {}) {
              const started = await daemon({ DATABASE_URL: database.url, REDIS_URL: redisServer.url, ...settings });
              ends.push(() => started.stop());
              return started;
            },
          });
        } finally {
          await end();
          undo.splice(undo.indexOf(end), 1);
        }
      },
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function migrateOnce(url: string): Promise<void> {
  const database = openDatabase({ url, connectionsMax: 1, applicationName: 'fabric-syncd bench' });
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
}

function openSql(url: string, database: string): Sql {
  const host = new URL(url).searchParams.get('host') ?? '127.0.0.1';
  return postgres({ host, username: 'postgres', database, max: 1, onnotice() {} });
}

function watch(daemon: DaemonProcess, adminSocket: string, logFile: string): BenchDaemon {
  const listening = new AbortController();
  let over = false;
  daemon.ended.then(
    () => {
      over = true;
    },
    () => {},
  );
  const ended = async (): Promise<Error> =>
    new Error(`the daemon ended; the last that it said:\n${await daemon.lastLines(5)}`);
  return {
    pid: daemon.pid,
    async keeps(fabrics, withinMs) {
      const said = `"fabrics":${fabrics},`;
      await until(
        async () => {
          if (over) throw await ended();
          return (await readFile(logFile, 'utf8')).split('\n').some((line) => line.includes(said) && keepsLine(line));
        },
        withinMs,
        'the daemon keeps its fabrics',
      );
    },
    async health() {
      const health = await askDaemon(adminSocket, '/v1/health', AbortSignal.timeout(answerMsMax));
      if (health === null) throw over ? await ended() : new Error('the daemon does not answer on its socket');
      return health as Health;
    },
    async hear(tell) {
      await hearDaemon(adminSocket, tell, listening.signal);
    },
    async stop() {
      listening.abort();
      await daemon.stop();
    },
  };
}

const answerMsMax = 5_000;
const lookEveryMs = 5;
const keepsLine = (line: string): boolean => /fabric-syncd \S+ keeps /.test(line);

/** Looks every few milliseconds. @throws Error where it is not so in time */
export async function until(so: () => Promise<boolean> | boolean, withinMs: number, what: string): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + withinMs;
  while (!(await so())) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error(`not within ${withinMs / 1_000} s: ${what}`);
    await systemClock.sleep(lookEveryMs);
  }
}

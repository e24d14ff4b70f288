// A test bed: a database of its own, keys or a Redis of its own, simulated fabrics, and as many daemons as the test wants.
// Everything that is opened on it is gone when the test is over, whatever the test did to it.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { afterEach, expect, inject, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { type SimulatedFabric, startSimulatedFabric } from '../../../src/demo/fabrics/fabric.ts';
import { systemDice } from '../../../src/dice.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { type RedisKeys, redisKeys } from '../../../src/redis/keys.ts';
import { expectInvariants } from '../invariants.ts';
import { cloneDatabase } from '../postgres.ts';
import { meddler, type OwnRedis, ownRedis } from '../redis.ts';
import { Daemon, type Environment, entry, eventually } from './daemon.ts';
import { callWitness, expectNothingLostNorDoubled } from './witness.ts';

/** Everything happens sooner than in earnest. */
const impatience = {
  FABRIC_SYNCD_LOG_FORMAT: 'json',
  FABRIC_SYNCD_LOG_LEVEL: 'debug',
  FABRIC_SYNCD_LEASE_TTL: '2s',
  FABRIC_SYNCD_SWEEP_INTERVAL: '500ms',
  FABRIC_SYNCD_BACKOFF_BASE: '300ms',
  FABRIC_SYNCD_BACKOFF_CAP: '600ms',
  // Who is killed again and again is not given up.
  FABRIC_SYNCD_RETRIES_MAX: '100',
};

export interface BedOptions {
  /** `shared`: keys of one's own on the Redis of the test run. `own`: a server to be cruel to. Or any URL. */
  readonly redis?: 'shared' | 'own' | 'none' | { readonly url: string };
  /** Where the database is cloned; on the server of the test run where absent. */
  readonly postgres?: { readonly url: string; readonly template: string };
  readonly env?: Environment;
}

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  json<Document = Record<string, unknown>>(): Document;
}

export interface Run {
  readonly id: string;
  readonly epoch: number;
  readonly trigger: string;
  readonly daemon: string;
  readonly dueAt: Date | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly outcome: string | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

export interface Row {
  readonly state: string;
  readonly dueAtMs: number | null;
  readonly dueKind: string | null;
  readonly epoch: number;
  readonly leaseHolder: string | null;
  readonly runId: string | null;
  readonly lastSync: Date | null;
  readonly syncStatus: string;
  readonly syncError: string;
}

type Undo = () => Promise<unknown>;

/** Call it at the top of a test file: what its beds opened is closed after each test. */
export function bedsOfThisFile(): (options?: BedOptions) => Promise<Bed> {
  const undo: Undo[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  return (options = {}) => openBed(options, undo);
}

async function openBed(options: BedOptions, undo: Undo[]): Promise<Bed> {
  const { redis: wanted = 'shared' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-process-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const server = options.postgres ?? { url: inject('databaseUrl'), template: inject('databaseTemplate') };
  const clone = await cloneDatabase(server);
  undo.push(() => clone.drop());
  const database = openDatabase({ url: clone.url, connectionsMax: 4, applicationName: 'the test' });
  undo.push(() => database.close());
  await callWitness(database.sql);
  const redis = wanted === 'own' ? await ownRedis() : null;
  if (redis) undo.push(() => redis.remove());
  const sharedUrl = wanted === 'shared' ? (inject('redisUrl') ?? 'none') : 'none';
  const redisUrl = redis?.url ?? (typeof wanted === 'object' ? wanted.url : sharedUrl);
  return new Bed({ folder, databaseUrl: clone.url, sql: database.sql, redis, redisUrl, env: options.env ?? {}, undo });
}

interface BedParts {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly redis: OwnRedis | null;
  readonly redisUrl: string;
  readonly env: Environment;
  readonly undo: Undo[];
}

export class Bed {
  readonly folder: string;
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly redisUrl: string;
  readonly keys: RedisKeys;
  readonly #redis: OwnRedis | null;
  readonly #env: Environment;
  readonly #undo: Undo[];
  #daemons = 0;

  constructor(parts: BedParts) {
    this.folder = parts.folder;
    this.databaseUrl = parts.databaseUrl;
    this.sql = parts.sql;
    this.redisUrl = parts.redisUrl;
    this.#redis = parts.redis;
    this.#undo = parts.undo;
    const prefix = parts.folder.split('-').at(-1) ?? '';
    this.keys = redisKeys(prefix);
    this.#env = {
      ...impatience,
      DATABASE_URL: parts.databaseUrl,
      REDIS_URL: parts.redisUrl,
      FABRIC_SYNCD_REDIS_PREFIX: prefix,
      ...parts.env,
    };
  }

  /** The Redis of a bed that was opened with `own`. */
  get redis(): OwnRedis {
    if (!this.#redis) throw new Error('this bed has no Redis of its own');
    return this.#redis;
  }

  /** The environment of the first daemon, and of the program's other verbs. */
  env(daemon = 1): Environment & { readonly FABRIC_SYNCD_ADMIN_SOCKET: string } {
    return { ...this.#env, FABRIC_SYNCD_ADMIN_SOCKET: join(this.folder, `admin-${daemon}.sock`) };
  }

  /** Starts one; it is not waited for. `socket`: the number of its admin socket; a new one where absent. */
  daemon(env: Environment = {}, socket?: number): Daemon {
    this.#daemons += 1;
    const daemon = new Daemon({ ...this.env(socket ?? this.#daemons), ...env });
    this.onClose(() => daemon.kill());
    return daemon;
  }

  onClose(undo: Undo): void {
    this.#undo.push(undo);
  }

  /** Runs a verb of the program as a process of its own. */
  cli(...argv: readonly string[]): Promise<Answer> {
    return this.cliStoppable(...argv).answer;
  }

  /** As `cli`, in another environment. */
  cliWith(env: Environment, ...argv: readonly string[]): Promise<Answer> {
    return this.#cli(env, argv).answer;
  }

  /** As `cli`; it can be sent signals meanwhile. */
  cliStoppable(...argv: readonly string[]) {
    return this.#cli({}, argv);
  }

  #cli(env: Environment, argv: readonly string[]) {
    const { promise: answer, resolve } = Promise.withResolvers<Answer>();
    const child = execFile(
      process.execPath,
      [entry, ...argv],
      {
        env: { PATH: process.env.PATH, USER: 'ann', ...this.env(), ...env },
        timeout: 60_000,
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? 255);
        resolve({ code, stdout, stderr, json: <Document>() => JSON.parse(stdout) as Document });
      },
    );
    return { answer, pid: child.pid ?? 0, signal: (name: NodeJS.Signals) => child.kill(name) };
  }

  /**
   * A simulated lab of 38 objects and its row, as anybody could write it, due at once.
   * @param more columns of `fabric` beside
   */
  async fabric(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<Patient> {
    const cluster = await startSimulatedFabric({ name, shape: 'lab', clock: systemClock, dice: systemDice });
    this.onClose(() => cluster.stop());
    const tokenFile = join(this.folder, `${name}.token`);
    await writeFile(tokenFile, cluster.token);
    const columns = {
      name,
      kubernetes_server: cluster.url,
      kubernetes_ca_cert: cluster.caPem,
      credential_ref: `file:${tokenFile}`,
      sync_interval: 1,
      created: new Date(systemClock.nowMs() - 60_000),
      ...more,
    };
    const [row] = await this.sql<[{ id: string }]>`insert into fabric ${this.sql(columns)} returning id::text`;
    return new Patient(this.sql, row.id, name, cluster, tokenFile);
  }

  /** What a timer was armed for and when it shows; null where there is none. */
  async timer(fabricId: string): Promise<{ dueAtMs: number; showsAtMs: number; kind: string } | null> {
    const client = await meddler(this.redisUrl);
    try {
      const [score, payload] = await Promise.all([
        client.zscore(this.keys.timers, fabricId),
        client.hget(this.keys.payloads, fabricId),
      ]);
      if (score === null || payload === null) return null;
      const { due, kind } = JSON.parse(payload) as { due: number; kind: string };
      return { dueAtMs: due, showsAtMs: Number(score), kind };
    } finally {
      client.disconnect();
    }
  }

  /** All of a test's rows and timers are as they must be, at the end of its storm. */
  async check(): Promise<void> {
    await expectNothingLostNorDoubled(this.sql);
    await this.checkInvariants();
  }

  /** As `check`, where settings were changed meanwhile: promises were broken rightly. */
  async checkInvariants(): Promise<void> {
    const url = this.redisUrl === 'none' ? null : this.redisUrl;
    await expectInvariants({ sql: this.sql, redis: url === null ? null : { url, prefix: this.#prefix } });
  }

  /** Nothing of these daemons is left: no socket, no lease, no lock, no connection. */
  async expectNothingLeft(): Promise<void> {
    expect((await readdir(this.folder)).filter((file) => file.endsWith('.sock'))).toEqual([]);
    const leases = await this.sql`select fabric_id, lease_holder from fabric_cycle where lease_holder is not null`;
    expect([...leases], 'leases').toEqual([]);
    await vi.waitFor(async () => {
      const connections = await this.sql`
        select application_name from pg_stat_activity
         where datname = current_database() and application_name like 'fabric-syncd%'`;
      expect([...connections], 'connections to Postgres').toEqual([]);
    }, eventually);
    if (this.redisUrl === 'none') return;
    const client = await meddler(this.redisUrl);
    try {
      const locks = await client.keys(`${this.keys.lock('*').replaceAll(/[{}]/g, '\\$&')}`);
      expect(locks, 'locks').toEqual([]);
    } finally {
      client.disconnect();
    }
  }

  get #prefix(): string {
    return this.#env.FABRIC_SYNCD_REDIS_PREFIX ?? '';
  }
}

/** A fabric, by its rows and by the cluster behind it. */
export class Patient {
  readonly id: string;
  readonly name: string;
  readonly cluster: SimulatedFabric;
  readonly tokenFile: string;
  readonly #sql: Sql;

  constructor(sql: Sql, id: string, name: string, cluster: SimulatedFabric, tokenFile: string) {
    this.#sql = sql;
    this.id = id;
    this.name = name;
    this.cluster = cluster;
    this.tokenFile = tokenFile;
  }

  async row(): Promise<Row> {
    const [row] = await this.#sql<Row[]>`
      select c.state, floor(extract(epoch from c.due_at) * 1000)::float8 as "dueAtMs", c.due_kind as "dueKind",
             c.epoch::float8 as epoch, c.lease_holder as "leaseHolder", c.run_id::text as "runId",
             f.last_sync as "lastSync", f.sync_status as "syncStatus", f.sync_error as "syncError"
        from fabric f join fabric_cycle c on c.fabric_id = f.id where f.id = ${this.id}`;
    if (!row) throw new Error(`${this.name} is gone`);
    return row;
  }

  async runs(): Promise<readonly Run[]> {
    return this.#sql<Run[]>`
      select id::text, epoch::float8 as epoch, trigger, daemon, due_at as "dueAt", started_at as "startedAt",
             finished_at as "finishedAt", outcome, failure
        from fabric_run r where fabric_id = ${this.id} order by r.id`;
  }

  async run(id: string): Promise<Run> {
    const run = (await this.runs()).find((one) => one.id === id);
    if (!run) throw new Error(`there is no run ${id} of ${this.name}`);
    return run;
  }

  /** Resolves with the row when this is true of it. */
  until(fits: (row: Row) => boolean, what: string): Promise<Row> {
    return vi.waitFor(async () => {
      const row = await this.row();
      if (fits(row)) return row;
      throw new Error(`${this.name} is not ${what}: ${JSON.stringify(row)}`);
    }, eventually);
  }

  /** Resolves with the run that is in hand. */
  async working(): Promise<Run> {
    const { runId } = await this.until((row) => row.leaseHolder !== null, 'being synced');
    return this.run(runId ?? '');
  }

  /** Resolves with the complete run when one began after `after` (the id of a run, or the beginning of all). */
  synced(after = '0'): Promise<Run> {
    return vi.waitFor(async () => {
      const run = (await this.runs()).find(({ id, outcome }) => BigInt(id) > BigInt(after) && outcome === 'complete');
      if (run) return run;
      throw new Error(`${this.name} was not synced after run ${after}: ${JSON.stringify(await this.row())}`);
    }, eventually);
  }
}

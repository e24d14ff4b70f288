// A weather station: one daemon in this process on a real Postgres and a real Redis, a neighbour that must not notice
// anything, and fabrics that are made to suffer. What it sees, it sees as an operator does: through the program's verbs.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { expect, inject, vi } from 'vitest';
import type { FailureCode } from '../../../machines/fabric/failure.ts';
import type { OpenTraces } from '../../../otel/start.ts';
import { systemClock } from '../../../src/clock.ts';
import { readConfig } from '../../../src/config.ts';
import { startDaemon } from '../../../src/daemon.ts';
import { type SimulatedFabric, startSimulatedFabric } from '../../../src/demo/fabrics/fabric.ts';
import { systemDice } from '../../../src/dice.ts';
import type { FabricView, RunView } from '../../../src/inspector/view.ts';
import type { Log } from '../../../src/log.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';
import { SystemdNotifier } from '../../../src/systemd/notify.ts';
import { expectInvariants } from '../../support/invariants.ts';
import { cloneDatabase } from '../../support/postgres.ts';
import { type ProgramRun, runFabricSyncd } from '../../support/run-program.ts';
import { unmeasured, untold } from '../../support/untold.ts';

/** Short enough for many storms in a minute, long enough for a busy machine. */
const impatience = {
  FABRIC_SYNCD_CONNECT_TIMEOUT: '1500ms',
  FABRIC_SYNCD_REQUEST_TIMEOUT: '2500ms',
  FABRIC_SYNCD_IDLE_TIMEOUT: '1800ms',
  FABRIC_SYNCD_BACKOFF_BASE: '300ms',
  FABRIC_SYNCD_BACKOFF_CAP: '600ms',
  FABRIC_SYNCD_RETRIES_MAX: '2',
  FABRIC_SYNCD_PROBE_MIN: '1s',
  FABRIC_SYNCD_SWEEP_INTERVAL: '2s',
  FABRIC_SYNCD_LEASE_TTL: '10s',
  FABRIC_SYNCD_CONCURRENCY: '20',
  FABRIC_SYNCD_BODY_MAX: '2MiB',
  // The 14 connections of a lab are three pages.
  FABRIC_SYNCD_PAGE_LIMIT: '5',
};

/** A bound for what hangs. */
export const eventually = { timeout: 30_000, interval: 40 };

export interface Station {
  readonly sql: Sql;
  /** Files of this station. */
  readonly folder: string;
  readonly neighbour: Patient;
  /** Runs a verb of the program, as a person would. */
  verb(...argv: readonly string[]): Promise<ProgramRun>;
  /** A lab of 38 objects, synced once, due every second. Its token is in a file that is read at each run. */
  patient(more?: readonly string[]): Promise<Patient>;
  /** The same, synced when the test says so and not otherwise. */
  byHand(): Promise<Patient>;
  /** A fabric whose server is the test's own affair; nothing is synced yet. */
  enrol(way: { url: string; caPem: string; token?: string }, more?: readonly string[]): Promise<Patient>;
  /** Invariants, and that no token is in any row or log line. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The fabric as `status NAME --json` tells it, with its connection's own line. */
export type Seen = FabricView & {
  readonly connection_error: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly quarantine: readonly { readonly kind: string; readonly name: string; readonly reason: string }[];
  readonly runs: readonly RunView[];
};

export interface Patient {
  readonly name: string;
  readonly id: string;
  readonly tokenFile: string;
  /** The cluster behind the address; throws where the test brought its own. */
  readonly cluster: SimulatedFabric;
  seen(): Promise<Seen>;
  /** A manual sync to its end. */
  sync(): Promise<RunView>;
  set(...options: readonly string[]): Promise<void>;
  /** Everything that is stored of it but its runs; while a run is in hand, `last_sync` is what it was before. */
  kept(): Promise<Kept>;
  /** Resolves when it shows this failure. */
  inTrouble(code: FailureCode): Promise<Seen>;
  /** Resolves when a run that began after this moment was complete. */
  wellAgain(): Promise<Seen>;
  /** Takes it away: from the database, then from the network. */
  remove(): Promise<void>;
}

export interface Kept {
  readonly lastSync: string | null;
  readonly rows: readonly object[];
  readonly changes: readonly object[];
}

/** @param other settings of the daemon beside the impatient ones */
export async function openStation(
  other: Readonly<Record<string, string>> = {},
  traces: OpenTraces | null = null,
): Promise<Station> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const act of undo.splice(0).reverse()) await act();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-weather-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const clone = await cloneDatabase({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
    undo.push(() => clone.drop());
    const database = openDatabase({ url: clone.url, connectionsMax: 3 });
    undo.push(() => database.close());
    const redisUrl = inject('redisUrl');
    const env = {
      ...impatience,
      ...other,
      DATABASE_URL: clone.url,
      REDIS_URL: redisUrl ?? 'none',
      FABRIC_SYNCD_REDIS_PREFIX: clone.name,
      FABRIC_SYNCD_ADMIN_SOCKET: join(folder, 'admin.sock'),
    };
    const said: string[] = [];
    const daemon = await startDaemon(
      {
        config: readConfig(env),
        env: {},
        log: rememberingLog(said),
        clock: systemClock,
        dice: systemDice,
        hostname: 'station',
        pid: process.pid,
        version: '0',
        notifier: new SystemdNotifier({ env: {}, onTrouble: () => {} }),
        levels: untold().levels,
        measuring: unmeasured(),
        traces,
      },
      AbortSignal.timeout(30_000),
    );
    undo.push(() => daemon.stop(AbortSignal.abort()));

    const tokens = new Set<string>();
    const verb = (...argv: readonly string[]) => runFabricSyncd(argv, { env });
    const ward = new Ward({ sql: database.sql, folder, verb, tokens });
    const patient = (more: readonly string[] = []) => ward.admit(more);
    const neighbour = await patient();
    undo.push(() => neighbour.cluster.stop());
    return {
      sql: database.sql,
      folder,
      neighbour,
      verb,
      patient,
      async byHand() {
        const admitted = await patient();
        await admitted.set('--interval', '1d');
        await vi.waitFor(async () => {
          const { state, due_in_ms } = await admitted.seen();
          expect({ state, far: (due_in_ms ?? 0) > 3_600_000 }).toEqual({ state: 'scheduled', far: true });
        }, eventually);
        return admitted;
      },
      enrol: (way, more = []) => ward.enrol({ token: 'token-of-a-stranger', ...way }, null, more),
      async check() {
        const redis = redisUrl === null ? null : { url: redisUrl, prefix: clone.name };
        await expectInvariants({ sql: database.sql, redis, secrets: [...tokens] });
        const lines = said.join('\n');
        for (const token of tokens) expect(lines.includes(token), 'a token is in the log').toBe(false);
      },
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

interface WardDeps {
  readonly sql: Sql;
  readonly folder: string;
  readonly verb: Station['verb'];
  readonly tokens: Set<string>;
}

/** Adds fabrics by the program's own verbs, and looks after them. */
class Ward {
  readonly #deps: WardDeps;
  #admitted = 0;

  constructor(deps: WardDeps) {
    this.#deps = deps;
  }

  async admit(more: readonly string[]): Promise<Patient> {
    const seed = `${this.#admitted}`;
    const cluster = await startSimulatedFabric({
      name: 'lab',
      seed,
      shape: 'lab',
      clock: systemClock,
      dice: systemDice,
    });
    const { url, caPem, token } = cluster;
    const patient = await this.enrol({ url, caPem, token }, cluster, more);
    expect(await patient.sync()).toMatchObject({ outcome: 'complete', created: 38 });
    return patient;
  }

  async enrol(
    { url, caPem, token }: { url: string; caPem: string; token: string },
    cluster: SimulatedFabric | null,
    more: readonly string[],
  ): Promise<Patient> {
    const { folder, verb, tokens } = this.#deps;
    this.#admitted += 1;
    const name = `lab-${this.#admitted}`;
    const tokenFile = join(folder, `${name}.token`);
    const caFile = join(folder, `${name}.ca`);
    tokens.add(token);
    await Promise.all([writeFile(tokenFile, `${token}\n`), writeFile(caFile, caPem)]);
    const way = ['--server', url, '--token-ref', `file:${tokenFile}`, '--ca-file', caFile];
    const added = await verb('fabric', 'add', name, ...way, '--interval', '1s', '--no-test', ...more, '--json');
    expect(added.code, added.stdout).toBe(0);
    const { id } = added.json<{ fabric: { id: string } }>().fabric;
    return this.#patient({ name, id, tokenFile }, cluster);
  }

  #patient(who: { name: string; id: string; tokenFile: string }, cluster: SimulatedFabric | null): Patient {
    const { sql, verb } = this.#deps;
    const { name, id } = who;
    const seen = async (): Promise<Seen> => {
      const told = await verb('status', name, '--json');
      expect(told.code, told.stdout).toBe(0);
      const { fabrics, counts, quarantine, runs } = told.json<
        { fabrics: FabricView[] } & Omit<Seen, keyof FabricView>
      >();
      const [fabric] = fabrics;
      if (!fabric) throw new Error(`status does not tell of ${name}`);
      const [row] = await sql<{ connection_error: string }[]>`select connection_error from fabric where id = ${id}`;
      return { ...fabric, connection_error: row?.connection_error ?? '', counts, quarantine, runs };
    };
    return {
      ...who,
      get cluster() {
        if (!cluster) throw new Error(`${name} has a server of the test's own`);
        return cluster;
      },
      seen,
      async sync() {
        const told = (await verb('trigger', name, '--json')).json<{ requests: { run: RunView | null }[] }>();
        const run = told.requests?.[0]?.run;
        if (!run) throw new Error(`the sync was not run: ${JSON.stringify(told)}`);
        return run;
      },
      async set(...options) {
        const answer = await verb('fabric', 'set', name, ...options, '--json');
        expect(answer.code, answer.stdout).toBe(0);
      },
      kept: () => readKept(sql, id),
      inTrouble: (code) =>
        vi.waitFor(async () => {
          const now = await seen();
          expect(now).toMatchObject({ sync_status: 'error', error_code: code, last_run: { outcome: 'failed' } });
          return now;
        }, eventually),
      async wellAgain() {
        const [last] = await sql<{ id: string }[]>`
          select coalesce(max(id), 0)::text as id from fabric_run where fabric_id = ${id}`;
        const after = BigInt(last?.id ?? 0);
        return vi.waitFor(async () => {
          const now = await seen();
          expect(now).toMatchObject({ sync_status: 'in_sync', sync_error: '', connection_status: 'connected' });
          expect(BigInt(now.last_run?.id ?? 0) > after, 'a run began since').toBe(true);
          return now;
        }, eventually);
      },
      async remove() {
        expect(await verb('fabric', 'remove', name, '--yes')).toMatchObject({ code: 0 });
        await cluster?.stop();
      },
    };
  }
}

async function readKept(sql: Sql, id: string): Promise<Kept> {
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const [row] = await tx<{ at: string | null }[]>`
      select case when c.lease_holder is null then f.last_sync else c.previous_sync end::text as at
        from fabric f join fabric_cycle c on c.fabric_id = f.id where f.id = ${id}`;
    const rows = await tx<{ row: object }[]>`
      select to_jsonb(r) as row from fabric_resource r where fabric_id = ${id} order by id`;
    const changes = await tx<{ row: object }[]>`
      select to_jsonb(ch) as row from fabric_change ch where fabric_id = ${id} order by run_id, resource_id`;
    return { lastSync: row?.at ?? null, rows: rows.map((one) => one.row), changes: changes.map((one) => one.row) };
  }) as Promise<Kept>;
}

function rememberingLog(said: string[]): Log {
  const say = (fields: Readonly<Record<string, unknown>>, line: string) => {
    said.push(
      `${line} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? String(value.stack) : value))}`,
    );
  };
  const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log };
  return log;
}

// The stage of the demo: private servers, simulated fabrics, and the daemon as a process of its own.
//
//   S1. Everything it starts, `stop` ends, in reverse order; what a killed demo left behind, the next one ends.
//   S2. Its data stays in the state folder: a second demo finds its timers, its inventory and its fabrics again.
//   S3. REDIS_URL and DATABASE_URL are used where they are set, and what others have there is left alone (`enrol.ts`);
//       without any Redis it goes on in the mode without one.
//   S4. What was given wrong is told before a server starts.

import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Dice } from '../dice.ts';
import { type Collector, telemetryOf } from './collector.ts';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { enrol } from './enrol.ts';
import { type SimulatedFabric, startSimulatedFabric } from './fabrics/fabric.ts';
import type { Part } from './roster.ts';
import { claimFolder } from './servers/folder-owner.ts';
import { startPrivatePostgres } from './servers/postgres.ts';
import { findRedis, redisAdvice, startPrivateRedis } from './servers/redis.ts';

export interface StageOptions {
  readonly stateDir: string;
  readonly parts: readonly Part[];
  /** The program's entry file. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the daemon tells its traces, metrics and log; null for where the environment says. */
  readonly collector: Collector | null;
  readonly clock: Clock;
  readonly dice: Dice;
  /** Hears what is being done, a line each. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Stage {
  /** What the program's verbs need to work on this stage. */
  readonly env: Readonly<Record<string, string>>;
  /** A file to source in another terminal: `env`, and the first fabric for kubectl. */
  readonly envFile: string;
  readonly daemon: DaemonProcess;
  readonly daemonLog: string;
  readonly fabrics: ReadonlyMap<string, SimulatedFabric>;
  readonly collector: Collector | null;
  readonly redis: string | null;
  readonly postgres: string;
  stop(): Promise<void>;
}

/** The daemon's settings on this stage: everything happens sooner than in earnest. */
const quickSettings = {
  FABRIC_SYNCD_BACKOFF_BASE: '2s',
  FABRIC_SYNCD_BACKOFF_CAP: '4s',
  FABRIC_SYNCD_RETRIES_MAX: '12',
  FABRIC_SYNCD_LEASE_TTL: '10s',
  FABRIC_SYNCD_SWEEP_INTERVAL: '2s',
  FABRIC_SYNCD_GRACE_PERIOD: '5s',
};

export async function setStage(options: StageOptions): Promise<Stage> {
  const { stateDir, parts, collector, clock, dice, say, signal } = options;
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const act of undo.splice(0).reverse()) await act();
  };
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o755 });
    undo.push(await claimFolder(stateDir, 'The demo'));

    say(`its data: ${stateDir}`);
    const fabrics = new Map<string, SimulatedFabric>();
    const isGiven = ({ content }: Part) => 'manifests' in content;
    for (const part of [...parts.filter(isGiven), ...parts.filter((one) => !isGiven(one))]) {
      const fabric = await startSimulatedFabric({
        name: part.name,
        ...part.content,
        ...(part.rates && { rates: part.rates }),
        stateDir: join(stateDir, 'fabrics', part.name),
        clock,
        dice,
      });
      undo.push(() => fabric.stop());
      fabrics.set(part.name, fabric);
      for (const remark of fabric.remarks) say(`${part.name}: ${remark}`);
      await writeFile(join(stateDir, 'fabrics', part.name, 'kubeconfig'), fabric.kubeconfig(), { mode: 0o600 });
      say(`fabric ${part.name}: ${part.description}, at ${fabric.url}`);
    }
    signal.throwIfAborted();

    const servers = await openServers(options, undo);
    signal.throwIfAborted();
    const keyFile = join(stateDir, 'key');
    const { databaseUrl, ownDatabase } = servers;
    await enrol({ databaseUrl, ownDatabase, keyFile, parts, fabrics, say });

    const telemetry = telemetryOf(options.env, collector);
    const env = {
      ...quickSettings,
      DATABASE_URL: servers.databaseUrl,
      REDIS_URL: servers.redisUrl,
      FABRIC_SYNCD_REDIS_PREFIX: 'fabric-syncd-demo',
      FABRIC_SYNCD_KEY_FILE: keyFile,
      FABRIC_SYNCD_ADMIN_SOCKET: join(stateDir, 'admin.sock'),
      ...telemetry.commands,
    };
    const [first] = parts;
    const envFile = await writeEnvFile(stateDir, {
      ...env,
      ...(first && { KUBECONFIG: join(stateDir, 'fabrics', first.name, 'kubeconfig') }),
    });
    const { FABRIC_SYNCD_LOG_LEVEL, FABRIC_SYNCD_INSPECTOR = '127.0.0.1:0' } = options.env;
    const level = FABRIC_SYNCD_LOG_LEVEL && { FABRIC_SYNCD_LOG_LEVEL };
    // Who logs in may act: whatever is broken here was made for it.
    const page = { FABRIC_SYNCD_INSPECTOR, FABRIC_SYNCD_INSPECTOR_CONTROL: 'on' };
    const daemonLog = join(stateDir, 'daemon.log');
    const daemon = await startDaemonProcess({
      main: options.entry,
      env: {
        PATH: options.env.PATH ?? '',
        FABRIC_SYNCD_LOG_FORMAT: 'json',
        ...level,
        ...page,
        ...env,
        ...telemetry.daemon,
      },
      logFile: daemonLog,
      clock,
    });
    undo.push(() => daemon.stop());
    say(`daemon: process ${daemon.pid}, log in ${daemonLog}`);
    return {
      env,
      envFile,
      daemon,
      daemonLog,
      fabrics,
      collector,
      redis: servers.redis,
      postgres: servers.postgres,
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function openServers({ stateDir, env, say }: StageOptions, undo: (() => Promise<void>)[]) {
  let databaseUrl = env.DATABASE_URL;
  const ownDatabase = !databaseUrl;
  let postgres = 'the one in DATABASE_URL';
  if (!databaseUrl) {
    const server = await startPrivatePostgres({ dir: join(stateDir, 'postgres') });
    undo.push(() => server.stop());
    databaseUrl = server.url;
    postgres = `PostgreSQL ${server.version}`;
  }
  say(`Postgres: ${postgres}`);

  let redisUrl = env.REDIS_URL;
  let redis: string | null = redisUrl === 'none' ? null : 'the one in REDIS_URL';
  if (!redisUrl) {
    const found = await findRedis({ say });
    if (found) {
      // On loopback, where every user of the host could reach it; the file to source has the URL.
      const server = await startPrivateRedis({ dir: join(stateDir, 'redis'), password: randomUUID() });
      undo.push(() => server.stop());
      redisUrl = server.url;
      redis = found.how;
    } else {
      say(redisAdvice);
      redisUrl = 'none';
      redis = null;
    }
  }
  say(`Redis: ${redis ?? 'none; the daemon works without it'}`);
  return { databaseUrl, ownDatabase, postgres, redisUrl, redis };
}

async function writeEnvFile(stateDir: string, env: Readonly<Record<string, string>>): Promise<string> {
  const path = join(stateDir, 'env');
  const quoted = Object.entries(env).map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`);
  await rm(path, { force: true });
  await writeFile(path, `${quoted.join('\n')}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return path;
}

// A private PostgreSQL server for the demo and the tests, in a state folder of its own, reachable by a Unix socket alone.
//
//   G1. The data stays: a second start with the same folder finds it, with the same major version.
//   G2. One server a folder. What a killed parent left behind is ended by the next start; what a living one uses is not.
//   G3. After `stop` nothing of it runs. Ctrl-C in the terminal does not reach it: whoever started it ends it, in order.
//   G4. It survives the death of processes, not that of the machine: it does not wait for the disk.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemClock } from '../../clock.ts';
import { claimFolder } from './folder-owner.ts';
import { NotStarted } from './not-started.ts';
import { findPostgres, type PostgresBinaries, postgresMajorMin } from './postgres-binaries.ts';
import { type Account, asAccount, serverAccount } from './unprivileged.ts';

const startMsMax = 60_000;
const stopMsMax = 10_000;
/** `sun_path` holds 108 bytes on Linux and 104 elsewhere, the last of them zero. */
const socketPathBytesMax = 103;
const environment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };

export interface PrivatePostgresOptions {
  /** Holds `data`, `socket` and `postgres.log`. Made where absent. */
  readonly dir: string;
  /** Only the system's binaries, or only those of the package. Either, where not given. */
  readonly source?: PostgresBinaries['source'];
  /** Server settings beside the usual ones, as for `postgres -c`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
}

export interface PrivatePostgres {
  /** `postgres://postgres@localhost/postgres?host=FOLDER`: as libpq reads it, and `src/postgres/connect.ts`. */
  readonly url: string;
  readonly version: string;
  readonly source: PostgresBinaries['source'];
  /** Ends it and returns when it has ended. Safe to repeat. */
  stop(): Promise<void>;
  /** The power cut: every process of it at once, by SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, or stops and starts it; the URL stays. */
  restart(): Promise<void>;
}

/** @throws NotStarted with what to install or to free */
export async function startPrivatePostgres(options: PrivatePostgresOptions): Promise<PrivatePostgres> {
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true });
  const releaseFolder = await claimFolder(dir, 'The private PostgreSQL');
  try {
    return await startIn(dir, options, releaseFolder);
  } catch (cause) {
    await releaseFolder();
    throw cause;
  }
}

async function startIn(
  dir: string,
  options: PrivatePostgresOptions,
  releaseFolder: () => Promise<void>,
): Promise<PrivatePostgres> {
  const data = join(dir, 'data');
  const binaries = await choose(options.source, data);
  const account = await serverAccount();
  await endLeftover(data);
  await initialise(binaries, account, dir, data);
  const socket = await socketFolder(dir, account);
  const server = new Postmaster(binaries, account, dir, data, socket.path, options.settings ?? {});
  try {
    await server.start();
  } catch (cause) {
    await socket.remove();
    throw cause;
  }
  options.log?.(`PostgreSQL ${binaries.version} (${binaries.source}) in ${dir}`);
  return {
    url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(socket.path)}`,
    version: binaries.version,
    source: binaries.source,
    async stop() {
      await server.stop();
      await socket.remove();
      await releaseFolder();
    },
    kill: () => server.kill(),
    async restart() {
      await server.stop();
      await server.start();
    },
  };
}

/** The postmaster as a child process. */
class Postmaster {
  readonly #binaries: PostgresBinaries;
  readonly #account: Account | null;
  readonly #dir: string;
  readonly #data: string;
  readonly #socket: string;
  readonly #settings: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;

  constructor(
    binaries: PostgresBinaries,
    account: Account | null,
    dir: string,
    data: string,
    socket: string,
    settings: Readonly<Record<string, string>>,
  ) {
    this.#binaries = binaries;
    this.#account = account;
    this.#dir = dir;
    this.#data = data;
    this.#socket = socket;
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: '',
      port: '5432',
      unix_socket_directories: this.#socket,
      unix_socket_permissions: '0700',
      max_connections: '200',
      lc_messages: 'C',
      timezone: 'UTC',
      log_timezone: 'UTC',
      logging_collector: 'off',
      log_destination: 'stderr',
      // G4.
      fsync: 'off',
      full_page_writes: 'off',
      ...this.#settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const line = await asAccount(
      this.#account,
      [this.#binaries.postgres, this.#data, this.#socket],
      this.#binaries.postgres,
      ['-D', this.#data, ...flags],
    );
    const logPath = join(this.#dir, 'postgres.log');
    // Where a statement fails its log quotes rows.
    const log = await open(logPath, 'w', 0o600);
    try {
      // A session of its own: Ctrl-C goes to the terminal's foreground group (G3).
      const child = spawn(line.command, [...line.args], {
        ...(line.uid !== undefined && { uid: line.uid }),
        ...(line.gid !== undefined && { gid: line.gid }),
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
        env: environment,
      });
      this.#child = child;
      await once(child, 'spawn');
    } finally {
      await log.close();
    }
    await this.#ready(this.#child, logPath);
  }

  /** Its lock file says `ready` in the eighth line, as `pg_ctl` reads it. */
  async #ready(child: ChildProcess, logPath: string): Promise<void> {
    const deadlineMs = systemClock.monotonicMs() + startMsMax;
    for (;;) {
      if (hasEnded(child)) {
        throw new NotStarted(`PostgreSQL did not start: ${await lastLine(logPath)} (the whole log: ${logPath})`);
      }
      const lock = await readFile(join(this.#data, 'postmaster.pid'), 'utf8').catch(() => '');
      const lines = lock.split('\n');
      if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return;
      if (systemClock.monotonicMs() > deadlineMs) {
        await this.stop();
        throw new NotStarted(`PostgreSQL was not ready within ${startMsMax / 1000} s; its log: ${logPath}`);
      }
      await systemClock.sleep(10);
    }
  }

  /** Fast first (SIGINT: ends the sessions), then at once (SIGQUIT), then by force. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      if (await endsAfter(child, signal)) break;
    }
    this.#child = null;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child?.pid) return;
    const backends = await childrenOf(child.pid);
    await endsAfter(child, 'SIGKILL');
    for (const pid of backends) signalIfAlive(pid, 'SIGKILL');
    await allGone(backends);
    this.#child = null;
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function endsAfter(child: ChildProcess, signal: NodeJS.Signals): Promise<boolean> {
  if (hasEnded(child)) return true;
  const ended = once(child, 'exit');
  child.kill(signal);
  const late = new AbortController();
  const deadline = systemClock.sleep(stopMsMax, late.signal).then(
    () => false,
    () => true,
  );
  const inTime = await Promise.race([ended.then(() => true), deadline]);
  late.abort();
  return inTime;
}

async function choose(source: PostgresBinaries['source'] | undefined, data: string): Promise<PostgresBinaries> {
  const kept = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => null);
  const major = kept === null ? undefined : Number.parseInt(kept, 10);
  const [best] = await findPostgres(source, major);
  if (best) return best;
  throw new NotStarted(
    major === undefined
      ? `No PostgreSQL ${postgresMajorMin} or newer was found: install it (Debian: apt-get install postgresql), or set DATABASE_URL.`
      : `The data in ${data} is of PostgreSQL ${major}, which was not found: install that version, or delete the folder.`,
  );
}

/** Into a folder beside it first: a half-made cluster never carries the real name. */
async function initialise(
  binaries: PostgresBinaries,
  account: Account | null,
  dir: string,
  data: string,
): Promise<void> {
  const made = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => null);
  if (made !== null) return;
  const draft = join(dir, 'data.new');
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  if (account) await chown(draft, account.uid, account.gid);
  const args = ['-D', draft, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  const line = await asAccount(account, [binaries.initdb, draft], binaries.initdb, args);
  const child = spawn(line.command, [...line.args], {
    ...(line.uid !== undefined && { uid: line.uid }),
    ...(line.gid !== undefined && { gid: line.gid }),
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment,
  });
  const complaints: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    throw new NotStarted(
      `PostgreSQL could not make its data folder: ${Buffer.concat(complaints).toString('utf8').trim()}`,
    );
  }
  await rename(draft, data);
}

async function socketFolder(dir: string, account: Account | null) {
  const beside = join(dir, 'socket');
  const fits = Buffer.byteLength(join(beside, '.s.PGSQL.5432')) <= socketPathBytesMax;
  const path = fits ? beside : await mkdtemp(join(tmpdir(), 'fabric-syncd-pg-'));
  if (fits) await mkdir(beside, { recursive: true });
  await chmod(path, 0o700);
  if (account) await chown(path, account.uid, account.gid);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** G2: the folder is ours by now, so whatever server still runs on it has lost its parent. */
async function endLeftover(data: string): Promise<void> {
  const lockPath = join(data, 'postmaster.pid');
  const lock = await readFile(lockPath, 'utf8').catch(() => null);
  if (lock === null) return;
  const pid = Number.parseInt(lock, 10);
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (commandLine.split('\0').includes(data)) {
    const family = [pid, ...(await childrenOf(pid))];
    signalIfAlive(pid, 'SIGQUIT');
    if (!(await allGone(family))) {
      for (const member of family) signalIfAlive(member, 'SIGKILL');
      await allGone(family);
    }
  }
  // Its number may belong to a stranger by now, and PostgreSQL would refuse to start because of it.
  await rm(lockPath, { force: true });
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children.split(' ').filter(Boolean).map(Number);
}

/** @returns false where some are still there after the usual patience */
async function allGone(pids: readonly number[]): Promise<boolean> {
  const deadlineMs = systemClock.monotonicMs() + stopMsMax;
  const left = new Set(pids);
  for (;;) {
    for (const pid of left) if (await isGone(pid)) left.delete(pid);
    if (left.size === 0) return true;
    if (systemClock.monotonicMs() > deadlineMs) return false;
    await systemClock.sleep(10);
  }
}

/** A zombie is gone: it holds nothing, and who reaps it is not our affair. */
async function isGone(pid: number): Promise<boolean> {
  if (!signalIfAlive(pid, 0)) return true;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

function signalIfAlive(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function lastLine(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /FATAL|error/i.test(line)) ?? lines.at(-1) ?? 'it wrote nothing';
}

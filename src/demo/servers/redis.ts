// A Redis of our own: found, or installed where that may be, and run in a state folder.
//
//   D1. It is the real server, with an append-only file: a second start in the same folder finds the first one's data.
//   D2. It listens on 127.0.0.1 alone, on a free port unless one is given.
//   D3. One server a folder: what a killed run left behind there is ended before the next one starts, and nothing
//       that is not provably ours is ever signalled.
//   D4. `stop` leaves no process and no pid file; the data stays.
//   D5. Where a password is given, nobody else on the host gets in, nor reads it off the list of processes.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { installDebianPackage, mayInstallDebianPackages } from './debian-package.ts';
import { NotStarted } from './not-started.ts';

const run = promisify(execFile);

export interface FoundRedis {
  /** A name on the path, or an absolute path. */
  readonly binary: string;
  /** For people: `redis-server 7.0.15, from the path`. */
  readonly how: string;
}

/** What to tell a person where `findRedis` finds nothing. */
export const redisAdvice =
  'No Redis was found: install the package redis-server (or valkey-server), or set REDIS_URL; until then fabric-syncd works without one.';

const names = ['redis-server', 'valkey-server'] as const;
/** Where servers are that a service's or an ordinary user's path leaves out. */
const folders = ['/usr/local/bin', '/usr/bin', '/usr/local/sbin', '/usr/sbin', '/opt/homebrew/bin'] as const;

const startMsMax = 20_000;
const stopMsMax = 5_000;
const installMsMax = 120_000;

/**
 * A Redis or Valkey server from the path; else Debian's package, installed where we are root and apt-get is there.
 *
 * @param say hears one line before and after an installation, or why it failed
 * @returns null where there is none: `redisAdvice` says what to do
 */
export async function findRedis(
  options: { readonly install?: boolean; readonly say?: (line: string) => void } = {},
): Promise<FoundRedis | null> {
  const { install = true, say = () => {} } = options;
  const found = await look('from the path');
  if (found || !install || !(await mayInstallDebianPackages())) return found;
  say(
    'No redis-server or valkey-server on the path: installing Debian’s redis-server (its own service is not started).',
  );
  const installed = await installDebianPackage('redis-server', { withinMs: installMsMax, say });
  return installed ? await look('installed from Debian’s package') : null;
}

async function look(how: string): Promise<FoundRedis | null> {
  const candidates = [...names, ...folders.flatMap((folder) => names.map((name) => join(folder, name)))];
  for (const binary of candidates) {
    const version = await versionOf(binary);
    if (version) return { binary, how: `${basename(binary)} ${version}, ${how}` };
  }
  return null;
}

/** @returns null where it cannot be run */
async function versionOf(binary: string): Promise<string | null> {
  try {
    const { stdout } = await run(binary, ['--version'], { timeout: 5_000 });
    return /\bv=(\S+)/.exec(stdout)?.[1] ?? 'of an unknown version';
  } catch {
    return null;
  }
}

export interface PrivateRedisOptions {
  /** The state folder; made where it is missing. */
  readonly dir: string;
  readonly port?: number;
  /** Letters, digits, `-` and `_`; anybody on this host may connect where it is not given. */
  readonly password?: string;
  /** More arguments of `redis-server`; they win over ours. */
  readonly args?: readonly string[];
  /** From `findRedis`; looked for where it is not given. */
  readonly binary?: string;
  readonly say?: (line: string) => void;
}

export interface PrivateRedis {
  /** `redis://127.0.0.1:<port>`, with the password where there is one; the same after `start`. */
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now; null where none does. */
  readonly pid: number | null;
  /** Orderly, with its data written. Safe to repeat. */
  stop(): Promise<void>;
  /** As a power cut would: at once, without a word. */
  kill(): Promise<void>;
  /** Again after `stop` or `kill`, on the same port with the same data. */
  start(): Promise<void>;
  /** Stops the process without ending it: connections stay and nothing is answered. */
  pause(): void;
  resume(): void;
}

/** @throws NotStarted where no server can be had, or where it does not come up, with the server's own last lines */
export async function startPrivateRedis(options: PrivateRedisOptions): Promise<PrivateRedis> {
  const { say } = options;
  const binary = options.binary ?? (await findRedis(say ? { say } : {}))?.binary;
  if (!binary) throw new NotStarted(redisAdvice);
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const pidFile = join(dir, 'fabric-syncd-redis.pid');
  await endStale(dir, pidFile);

  // A free port may be taken by somebody else before the server binds it.
  for (let triesLeft = options.port === undefined ? 3 : 1; ; triesLeft--) {
    const port = options.port ?? (await freePort());
    const server = new Server({
      binary,
      dir,
      pidFile,
      port,
      password: options.password ?? null,
      args: options.args ?? [],
    });
    try {
      await server.start();
      return server;
    } catch (cause) {
      if (triesLeft === 1) throw cause;
    }
  }
}

class Server implements PrivateRedis {
  readonly url: string;
  readonly port: number;
  readonly #binary: string;
  readonly #dir: string;
  readonly #pidFile: string;
  readonly #password: string | null;
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;

  constructor(options: {
    readonly binary: string;
    readonly dir: string;
    readonly pidFile: string;
    readonly port: number;
    readonly password: string | null;
    readonly args: readonly string[];
  }) {
    const { binary, dir, pidFile, port, password, args } = options;
    this.#binary = binary;
    this.#dir = dir;
    this.#pidFile = pidFile;
    this.port = port;
    this.url = `redis://${password === null ? '' : `:${password}@`}127.0.0.1:${port}`;
    this.#password = password;
    this.#args = args;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    if (this.#child) return;
    const settings = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.#dir,
      daemonize: 'no',
      save: '',
      appendonly: 'yes',
      appendfsync: 'everysec',
      'maxmemory-policy': 'noeviction',
      loglevel: 'notice',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    // A session of its own: Ctrl-C is the starter's to hear, who stops the daemon before its Redis.
    // `-`: it reads settings from its standard input too, where no other process sees them (D5).
    const child = spawn(this.#binary, ['-', ...args, ...this.#args], {
      cwd: this.#dir,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // One that did not even start says so by its `error`, and one that ends early by its `exit`.
    child.stdin.on('error', () => {});
    child.stdin.end(this.#password === null ? '' : `requirepass ${this.#password}\n`);
    this.#child = child;
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    try {
      // Before it is up: who is killed while it waits must not leave a server that nobody knows.
      await Promise.all([ready(child), child.pid === undefined ? null : writeFile(this.#pidFile, `${child.pid}\n`)]);
    } catch (cause) {
      await this.kill();
      await rm(this.#pidFile, { force: true });
      throw cause;
    }
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    // The pid file may be a later server's by now.
    if (!child) return;
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill(signal);
      // A paused process keeps SIGTERM for later.
      child.kill('SIGCONT');
      const patience = new AbortController();
      await Promise.race([gone, delay(stopMsMax, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await gone;
      }
    }
    this.#child = null;
    await rm(this.#pidFile, { force: true });
  }
}

/** Resolves when the server says that it accepts connections, which is after it has read its data. */
async function ready(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let tail = '';
  const hear = (chunk: Buffer) => {
    // Read to the end of its life: a full pipe would stop the server.
    tail = (tail + chunk.toString('utf8')).slice(-4_000);
    if (tail.includes('eady to accept connections')) resolve();
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  child.once('error', (cause) => reject(new NotStarted('redis-server could not be started', { cause })));
  child.once('exit', (code, signal) => {
    const said = tail.trim().split('\n').slice(-3).join(' ');
    reject(new NotStarted(`redis-server ended at its start (${signal ?? code}): ${said}`));
  });
  const late = setTimeout(
    () => reject(new NotStarted(`redis-server was not ready within ${startMsMax} ms`)),
    startMsMax,
  );
  try {
    await promise;
  } finally {
    clearTimeout(late);
  }
}

/** D3. It is ours where it is a Redis that works in our folder; pids are given out again, so the number proves nothing. */
async function endStale(dir: string, pidFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 1) return;
  const isOurs = async () => {
    const [cwd, exe] = await Promise.all([
      readlink(`/proc/${pid}/cwd`).catch(() => null),
      readlink(`/proc/${pid}/exe`).catch(() => null),
    ]);
    return cwd === dir && exe !== null && /redis|valkey/.test(basename(exe));
  };
  for (let waitedMs = 0; await isOurs(); waitedMs += 20) {
    if (waitedMs === 0) process.kill(pid, 'SIGTERM');
    if (waitedMs === 0) process.kill(pid, 'SIGCONT');
    if (waitedMs === stopMsMax) process.kill(pid, 'SIGKILL');
    if (waitedMs > 2 * stopMsMax) throw new NotStarted(`an old redis-server (pid ${pid}) in ${dir} does not end`);
    await delay(20);
  }
  await rm(pidFile, { force: true });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const closed = once(probe, 'close');
  probe.close();
  await closed;
  if (address === null || typeof address === 'string') throw new NotStarted('no free port was found');
  return address.port;
}

// The daemon as a process of its own, seen from outside: its signals, its exit, its log, its admin socket.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFailed, vi } from 'vitest';
import { askDaemon } from '../../../src/admin/client.ts';

/** The program's entry. */
export const entry = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** A bound for what hangs, far above what works on a busy machine. */
export const eventually = { timeout: 30_000, interval: 20 };

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Health {
  readonly ok: boolean;
  readonly why: string;
  readonly daemon: string;
  readonly pid: number;
  readonly redis: string;
  readonly postgres: string;
  readonly fabrics: Readonly<Record<string, number>>;
  readonly running: number;
}

export interface FleetView {
  readonly fabrics: readonly {
    readonly id: string;
    readonly name: string;
    readonly state: string;
    readonly path: string;
  }[];
}

export type Environment = Readonly<Record<string, string>>;

export class Daemon {
  readonly socketPath: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  /** Both streams, as they came. */
  output = '';
  readonly log: LogLine[] = [];

  /** @param env all that it sees but `PATH` */
  constructor(env: Environment & { readonly FABRIC_SYNCD_ADMIN_SOCKET: string }) {
    this.socketPath = env.FABRIC_SYNCD_ADMIN_SOCKET;
    this.#child = spawn(process.execPath, [entry, 'run'], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    }
    onTestFailed(() => {
      process.stderr.write(`--- daemon ${this.pid}\n${this.output.split('\n').slice(-60).join('\n')}---\n`);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The power cut. Resolves when it is gone. */
  async kill(): Promise<void> {
    // A process that was stopped is killed all the same.
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Resolves when it has ended by itself, with all that it said: its exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals> {
    await this.#closed;
    return this.#child.exitCode ?? this.#child.signalCode ?? 'SIGKILL';
  }

  /** SIGTERM, to the end. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.signal('SIGTERM');
    return this.ended();
  }

  /** Resolves when every fabric is planned and timers are served. */
  async ready(): Promise<this> {
    await this.says((line) => / keeps \d+ fabric/.test(line.msg));
    return this;
  }

  /** Resolves with the first line of its log, from the beginning on, that this is true of. */
  async says(wanted: RegExp | ((line: LogLine) => boolean)): Promise<LogLine> {
    const fits = wanted instanceof RegExp ? (line: LogLine) => wanted.test(line.msg) : wanted;
    const heard = () => {
      const found = this.log.find(fits);
      if (found) return found;
      throw new Error(`the daemon has not said ${wanted}${this.running ? '' : ', and has ended'}`);
    };
    // One that has ended says nothing more.
    return Promise.race([vi.waitFor(heard, eventually), this.#closed.then(heard)]);
  }

  /** As `says`, of what comes after this call. */
  saysNext(wanted: RegExp): Promise<LogLine> {
    const from = this.log.length;
    return this.says((line) => this.log.indexOf(line) >= from && wanted.test(line.msg));
  }

  async health(): Promise<Health> {
    return (await this.#ask('/v1/health')) as Health;
  }

  async fleet(): Promise<FleetView> {
    return (await this.#ask('/v1/fleet')) as FleetView;
  }

  async #ask(path: string): Promise<unknown> {
    const answer = await askDaemon(this.socketPath, path, AbortSignal.timeout(5_000));
    if (answer === null) throw new Error(`nobody answers on ${this.socketPath}`);
    return answer;
  }

  #hear(line: string): void {
    this.output += `${line}\n`;
    if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
  }
}

// The place of one daemon: its settings and its wires stay, the process in it comes and goes.
//
//   T1. A process that ended without being told to is remembered, with its last words: a daemon never ends by itself.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { type DaemonProcess, startDaemonProcess } from '../../src/demo/daemon-process.ts';
import type { Stood } from './reads.ts';
import type { Wire } from './wire.ts';

export interface SeatOptions {
  readonly index: number;
  readonly main: string;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly redis: Wire;
  readonly postgres: Wire;
}

export class Seat {
  readonly name: string;
  readonly redis: Wire;
  readonly postgres: Wire;
  /** Where its admin socket is. */
  readonly socketDir: string;
  /** What ended without being told to. */
  readonly endedByItself: string[] = [];
  readonly logs: string[] = [];
  /** When it was kept from going on. */
  readonly stood: Stood[] = [];
  /** Of every process that ever was here. */
  readonly pids = new Set<number>();
  readonly #options: SeatOptions;
  #process: DaemonProcess | null = null;
  #stoppedMs: number | null = null;

  constructor(options: SeatOptions) {
    this.#options = options;
    this.name = `daemon ${options.index}`;
    this.redis = options.redis;
    this.socketDir = options.dir;
    this.postgres = options.postgres;
  }

  /** Null where none runs. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Nothing where one runs already. */
  async start(): Promise<void> {
    if (this.#process) return;
    const { main, dir, env, index } = this.#options;
    const logFile = join(dir, `daemon-${index}.${this.logs.length + 1}.log`);
    this.logs.push(logFile);
    const started = await startDaemonProcess({ main, env, logFile, clock: systemClock });
    this.#process = started;
    this.pids.add(started.pid);
    this.#stoppedMs = null;
    void started.ended.then(async (how) => {
      if (this.#process !== started) return;
      this.#process = null;
      this.endedByItself.push(`${this.name} ended (${how}): ${await started.lastLines(3)}`);
    });
  }

  /** The power cut; also of one that stands still. */
  async kill(): Promise<void> {
    await this.#end((daemon) => daemon.signal('SIGKILL'));
  }

  /** As systemd would. @returns its exit code, or the signal that ended it; null where none ran */
  async stop(): Promise<number | string | null> {
    this.goOn();
    const ended = this.#process?.ended ?? null;
    await this.#end((daemon) => void daemon.stop());
    return ended;
  }

  standStill(): void {
    if (!this.#process) return;
    this.#stoppedMs ??= systemClock.nowMs();
    this.#process.signal('SIGSTOP');
  }

  goOn(): void {
    if (this.#stoppedMs === null) return;
    this.#process?.signal('SIGCONT');
    this.stood.push({ daemon: this.name, fromMs: this.#stoppedMs, toMs: systemClock.nowMs() });
    this.#stoppedMs = null;
  }

  /** Every line that was logged in this place. */
  async lines(): Promise<readonly string[]> {
    const texts = await Promise.all(this.logs.map((path) => readFile(path, 'utf8').catch(() => '')));
    return texts.flatMap((text) => text.split('\n'));
  }

  async #end(how: (daemon: DaemonProcess) => void): Promise<void> {
    const daemon = this.#process;
    if (!daemon) return;
    // Told to: what follows is no accident.
    this.#process = null;
    how(daemon);
    await daemon.ended;
  }
}

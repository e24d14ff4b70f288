// What systemd is told, in the protocol of sd_notify(3).
//
//   Y1. Without NOTIFY_SOCKET nothing is sent and nothing is started: the daemon runs anywhere.
//   Y2. Messages arrive in the order in which they were given; of several status texts in a row only the last is sent,
//       and one that systemd has heard already is not sent again.
//   Y3. Nobody waits for systemd: every call returns at once, and a message that fails is dropped. The first failure
//       after a success is reported, the others are not.
//
// Node cannot send a datagram to a Unix socket, so each message is one short `systemd-notify` process: a few
// milliseconds, and only on a change. That is why the unit says NotifyAccess=all.

import { execFile } from 'node:child_process';
import { machineUsec } from '../clock.ts';
import type { Service } from '../service.ts';

/** A `systemd-notify` that takes longer hangs (it waits 5 s itself for the manager to have read the message). */
const sendMsMax = 10_000;

export interface NotifierOptions {
  /** Read: NOTIFY_SOCKET, PATH. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** systemd could not be told; called for the first of a row of failures. */
  readonly onTrouble: (cause: unknown) => void;
  /** Microseconds of CLOCK_MONOTONIC: what RELOADING is stamped with. */
  readonly monotonicUsec?: () => bigint;
}

/** Every call returns at once; status texts are one line for a person (`systemctl status` shows it). */
export class SystemdNotifier implements Service {
  readonly name = 'systemd-notify';
  readonly #options: NotifierOptions;
  readonly #monotonicUsec: () => bigint;
  #pending: readonly string[][] = [];
  #sending: Promise<void> | null = null;
  #inTrouble = false;
  #stopped = false;
  /** What `systemctl status` shows once everything is sent. */
  #shown: string | null = null;

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#monotonicUsec = options.monotonicUsec ?? machineUsec;
  }

  /** False where no service manager listens. */
  get listening(): boolean {
    return Boolean(this.#options.env.NOTIFY_SOCKET);
  }

  async start(): Promise<void> {
    this.#stopped = false;
  }

  /** Resolves when what was given before has been sent, or could not be. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#sending;
  }

  /** The service works; also the end of a reload. */
  ready(status: string): void {
    this.#send('READY=1', statusLine(status));
  }

  status(status: string): void {
    if (statusLine(status) !== this.#shown) this.#send(statusLine(status));
  }

  /** The settings are being read again; `ready` ends it. */
  reloading(status: string): void {
    this.#send('RELOADING=1', `MONOTONIC_USEC=${this.#monotonicUsec()}`, statusLine(status));
  }

  /** Starting or stopping takes longer than the unit allows, and it is no fault: asks for this many milliseconds more. */
  extend(ms: number): void {
    this.#send(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1_000)}`);
  }

  stopping(status: string): void {
    this.#send('STOPPING=1', statusLine(status));
  }

  /** A sign of life, for WatchdogSec. */
  alive(): void {
    this.#send('WATCHDOG=1');
  }

  #send(...message: string[]): void {
    if (!this.listening || this.#stopped) return;
    this.#shown = message.find((line) => line.startsWith('STATUS=')) ?? this.#shown;
    const last = this.#pending.at(-1);
    const replaces = last?.length === 1 && message.length === 1 && nameOf(last) === nameOf(message);
    this.#pending = [...(replaces ? this.#pending.slice(0, -1) : this.#pending), message];
    this.#sending ??= this.#drain();
  }

  async #drain(): Promise<void> {
    for (let next = this.#pending[0]; next; next = this.#pending[0]) {
      this.#pending = this.#pending.slice(1);
      try {
        await this.#notify(next);
        this.#inTrouble = false;
      } catch (cause) {
        this.#shown = null;
        if (!this.#inTrouble) this.#options.onTrouble(cause);
        this.#inTrouble = true;
      }
    }
    this.#sending = null;
  }

  #notify(message: readonly string[]): Promise<void> {
    const { NOTIFY_SOCKET, PATH } = this.#options.env;
    // `--` where there is no option to come: a message never reads as one. Nothing else of our environment goes along.
    const env = { NOTIFY_SOCKET, PATH };
    return new Promise((resolve, reject) => {
      execFile('systemd-notify', ['--', ...message], { env, timeout: sendMsMax, killSignal: 'SIGKILL' }, (failure) =>
        failure ? reject(failure) : resolve(),
      );
    });
  }
}

const nameOf = (message: readonly string[]): string => message[0]?.split('=')[0] ?? '';

/** The protocol is a line a variable, so a text is one line. */
const statusLine = (text: string): string => `STATUS=${text.replace(/\s+/g, ' ').trim()}`;

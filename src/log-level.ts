// The level of the log while the daemon runs: changed for a while, and put back.
//
//   V1. What is set by hand ends by itself where a time was given, and with a reload: then it is as configured again.
//   V2. Each change is told in the log, with who asked, at the louder of both levels: nobody makes it quiet unseen.

import { type Clock, formatIso } from './clock.ts';
import { formatDuration } from './duration.ts';
import { type LogLevel, logLevels, type RootLog } from './log.ts';
import type { Service } from './service.ts';

export interface LogLevelView {
  readonly level: LogLevel;
  /** What it goes back to. */
  readonly configured: LogLevel;
  /** RFC 3339; null where it stays until a reload. */
  readonly until: string | null;
}

/** The longest time that a level may be set for. */
export const levelForMsMax = 7 * 86_400_000;

export class LogLevels implements Service {
  readonly name = 'log level';
  readonly #log: RootLog;
  readonly #configured: LogLevel;
  readonly #clock: Clock;
  #untilMs: number | null = null;
  #cancel: () => void = () => {};

  /** The level that the log has now is the configured one. */
  constructor(log: RootLog, clock: Clock) {
    this.#log = log;
    this.#configured = log.level;
    this.#clock = clock;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#cancel();
  }

  view(): LogLevelView {
    const until = this.#untilMs === null ? null : formatIso(this.#untilMs);
    return { level: this.#log.level, configured: this.#configured, until };
  }

  /**
   * @param forMs then it is as configured again; null: until a reload
   * @param by who asked, as they say
   */
  set(level: LogLevel, forMs: number | null, by: string): LogLevelView {
    this.#cancel();
    this.#untilMs = forMs === null ? null : this.#clock.nowMs() + forMs;
    this.#cancel = forMs === null ? () => {} : this.#clock.after(forMs, () => this.restore('its time is over'));
    const lasts = forMs === null ? '' : ` for ${formatDuration(forMs)}`;
    const tell = () =>
      this.#log.info(
        { log_level: level, until: this.view().until, by },
        `the log level is ${level}${lasts}: ${by} asked`,
      );
    const isQuieter = logLevels.indexOf(level) > logLevels.indexOf(this.#log.level);
    if (isQuieter) tell();
    this.#log.level = level;
    if (!isQuieter) tell();
    return this.view();
  }

  /** As configured, whatever was set. */
  restore(why: string): void {
    this.#cancel();
    this.#untilMs = null;
    if (this.#log.level === this.#configured) return;
    this.#log.level = this.#configured;
    this.#log.info({ log_level: this.#configured }, `the log level is ${this.#configured} again: ${why}`);
  }
}

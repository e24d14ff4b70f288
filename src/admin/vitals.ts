// How the daemon is: for the admin socket, for systemd's status line and for its watchdog.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FailureCode, FailureNote } from '../../machines/fabric/failure.ts';
import { type Clock, formatIso } from '../clock.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { TimerPump } from '../fleet/timer-pump.ts';
import type { Service } from '../service.ts';
import type { Health } from '../systemd/watchdog.ts';

export interface VitalsDeps {
  readonly daemon: string;
  readonly version: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly pump: TimerPump;
  readonly servers: {
    /** Why Redis is not used, in words; null where it is. */
    degraded(): string | null;
  };
  /** Why Postgres does not answer, in words; null where it does. */
  readonly databaseTrouble: () => string | null;
  /** The ids of the keys that open stored credentials, read now. */
  readonly keyIds: () => readonly string[];
}

/** Progress: the timer loop turned within this time. */
const turnMsMax = 30_000;
/** Progress: nothing that is due, and does not wait for its turn, is older than this. */
const stuckMsMax = 120_000;
/** What our own servers refuse is told where it has lasted for so long: a hiccup is mended by the next try. */
const refusedMsMin = 15_000;
/** What our own servers say to an attempt: a restart of this process would change nothing about it. */
const serversWords: ReadonlySet<FailureCode> = new Set([
  'DATABASE_REFUSED',
  'DATABASE_UNAVAILABLE',
  'REDIS_UNAVAILABLE',
]);

interface Overdue {
  readonly name: string;
  readonly ms: number;
  /** Why our own servers did not let its last attempt begin; null where they did, or it was something else. */
  readonly refusal: FailureNote | null;
}

export class Vitals implements Service {
  readonly name = 'vitals';
  readonly #deps: VitalsDeps;
  readonly #startedMs: number;
  #delay: ReturnType<typeof monitorEventLoopDelay> | null = null;

  constructor(deps: VitalsDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.monotonicMs();
  }

  async start(): Promise<void> {
    this.#delay = monitorEventLoopDelay({ resolution: 10 });
    this.#delay.enable();
  }

  async stop(): Promise<void> {
    this.#delay?.disable();
    this.#delay = null;
  }

  /**
   * The watchdog's question. A server that is away, or that refuses what some fabric needs, is trouble, but not a daemon that
   * is stuck: a restart would not help, and would end every run in hand.
   */
  progress(): Health {
    const { clock, pump, fleet, databaseTrouble } = this.#deps;
    // At the start Postgres may be waited for, as long as it takes: no timer is served before it answers.
    if (pump.lastTurnMs === null) return { ok: true };
    const quietMs = clock.monotonicMs() - pump.lastTurnMs;
    if (quietMs > turnMsMax) return { ok: false, why: `the timer loop has not turned for ${seconds(quietMs)}` };
    if (databaseTrouble() !== null || fleet.slots.running >= fleet.slots.capacity) return { ok: true };
    const overdue = most([...this.#overdue()].filter(({ refusal }) => refusal === null));
    if (overdue && overdue.ms > stuckMsMax) {
      return { ok: false, why: `${overdue.name} is ${seconds(overdue.ms)} overdue, and a slot is free` };
    }
    return { ok: true };
  }

  /** How long the most overdue fabric has been waiting that nobody runs, in milliseconds; 0 where none is. */
  overdueMs(): number {
    return Math.max(0, most(this.#overdue())?.ms ?? 0);
  }

  health(): object {
    const { daemon, version, pid, clock, fleet, servers, databaseTrouble } = this.#deps;
    const progress = this.progress();
    const redis = servers.degraded();
    const postgres = databaseTrouble();
    const refused = this.#refused();
    const { rss, heapUsed } = process.memoryUsage();
    return {
      ok: progress.ok && redis === null && postgres === null && refused === null,
      why: [progress.ok ? null : progress.why, redis, postgres, refused].filter((one) => one !== null).join('; '),
      daemon,
      version,
      pid,
      uptime_ms: Math.round(clock.monotonicMs() - this.#startedMs),
      redis: redis ?? 'ok',
      postgres: postgres ?? 'ok',
      fabrics: fleet.census(),
      keys: this.#deps.keyIds(),
      running: fleet.slots.running,
      waiting: fleet.slots.waiting,
      memory: { rss_bytes: rss, heap_used_bytes: heapUsed },
      event_loop_delay: this.#readDelay(),
    };
  }

  fleet(): object {
    return {
      fabrics: [...this.#deps.fleet.members()].map(({ fabricId, name, state, path, context, since }) => ({
        id: fabricId,
        name,
        state,
        path,
        since: formatIso(since),
        run: context.claim?.runId ?? null,
        epoch: context.claim?.epoch ?? null,
        attempts: context.attempts,
        code: context.failure?.code ?? null,
      })),
    };
  }

  /** One line for `systemctl status`. */
  statusLine(): string {
    const { fleet, servers, databaseTrouble } = this.#deps;
    const census = Object.entries(fleet.census())
      .filter(([, count]) => count > 0)
      .map(([state, count]) => `${count} ${state}`);
    const troubles = [servers.degraded(), databaseTrouble(), this.#refused()].filter((one) => one !== null);
    return [`${fleet.size} fabric(s)${census.length > 0 ? `: ${census.join(', ')}` : ''}`, ...troubles].join('; ');
  }

  /** Which fabrics our own servers keep from running, though they answer otherwise, in words; null where none. */
  #refused(): string | null {
    const refused = [...this.#overdue()].filter(({ ms, refusal }) => refusal !== null && ms >= refusedMsMin);
    const worst = most(refused);
    if (!worst?.refusal) return null;
    const others = refused.length > 1 ? ` and ${refused.length - 1} other(s)` : '';
    return `${worst.name}${others} cannot be run: ${worst.refusal.code}: ${worst.refusal.message}`;
  }

  /** The fabrics that are due, and neither run nor wait for a slot; those that are not due yet are so by less than nothing. */
  *#overdue(): Iterable<Overdue> {
    const { clock, fleet } = this.#deps;
    const nowMs = clock.nowMs();
    for (const { fabricId, name, state, context } of fleet.members()) {
      if (state === 'locked' || state === 'syncing' || context.plan.state === 'idle') continue;
      if (context.plan.why === 'running_elsewhere') continue;
      // However many dead fabrics there are, only some slots are theirs: whoever stands in line is not stuck.
      if (fleet.slots.waits(fabricId)) continue;
      const { obstacle } = context;
      const refusal = obstacle && serversWords.has(obstacle.code) ? obstacle : null;
      yield { name, ms: nowMs - context.plan.dueAtMs, refusal };
    }
  }

  /** Since the last time it was asked. The histogram counts the sampling interval itself, which is taken off. */
  #readDelay(): object | null {
    const delay = this.#delay;
    if (!delay) return null;
    const ms = (nanoseconds: number) => Math.max(0, Math.round(nanoseconds / 1e4 - 1_000) / 100);
    const read = { p50_ms: ms(delay.percentile(50)), p99_ms: ms(delay.percentile(99)), max_ms: ms(delay.max) };
    delay.reset();
    return read;
  }
}

function most(overdue: Iterable<Overdue>): Overdue | null {
  let found: Overdue | null = null;
  for (const one of overdue) if (!found || one.ms > found.ms) found = one;
  return found;
}

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;

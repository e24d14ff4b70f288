// The daemon's life: the faces first, then Postgres, then the fleet; and all of it backwards at the end.
//
//   B1. Postgres is waited for, for as long as it takes, and who looks meanwhile is told so; Redis is not waited for:
//       without it the daemon works degraded and says so.
//   B2. No timer is claimed before every fabric is known and planned.
//   B3. The first signal lets runs finish within the grace period and then aborts them cleanly; the second means now.
//   B4. The end is bounded, whatever Postgres does: when the runs have ended, or been given up, who still asks it is answered
//       for a moment, and then nobody is. All of it stays below the unit's `TimeoutStopSec`.
//   B5. Whatever fails, at the start or at the end, everything that was opened is closed, and the first error is told.

import { FabricFailure } from '../machines/fabric/failure.ts';
import type { Measuring } from '../otel/metrics-start.ts';
import { prometheusContentType } from '../otel/prometheus.ts';
import type { OpenTraces } from '../otel/start.ts';
import { noTracing } from '../otel/tracing.ts';
import { MetricsListener } from './admin/metrics-listener.ts';
import { AdminServer } from './admin/server.ts';
import { Vitals } from './admin/vitals.ts';
import type { Clock } from './clock.ts';
import { composeCore, daemonName } from './compose.ts';
import type { Config } from './config.ts';
import type { Dice } from './dice.ts';
import { daemonFacts, Measure } from './fleet/measure.ts';
import { sealingKeyIds } from './host-credentials.ts';
import { openInspector } from './inspector/open.ts';
import { StatelyServer } from './inspector/stately/server.ts';
import type { Log } from './log.ts';
import type { LogLevels } from './log-level.ts';
import { patient } from './patient.ts';
import { PostgresAwaited } from './postgres-awaited.ts';
import { openServers, type Servers } from './servers.ts';
import { endAll, type Service, startAll } from './service.ts';
import type { SystemdNotifier } from './systemd/notify.ts';
import { Watchdog } from './systemd/watchdog.ts';

export interface DaemonDeps {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
  readonly notifier: SystemdNotifier;
  readonly levels: LogLevels;
  readonly measuring: Measuring;
  /** Null where nothing is traced. */
  readonly traces: OpenTraces | null;
  /** Who logs in to the inspector may act, whatever the setting says. */
  readonly control?: true;
}

export interface Daemon {
  /** SIGHUP: every fabric is looked at again, now. */
  reload(): Promise<void>;
  /** Ends it in order; `hurry` cuts the grace period short. Safe to repeat. */
  stop(hurry: AbortSignal): Promise<void>;
}

/** How long an aborted run may take to write down that it was aborted; the second is after a second signal. */
const abortMs = 5_000;
const hurriedMs = 2_000;
/** How long who still asks Postgres is answered when the runs have ended, and when the start is given up (B4). */
const lastAnswersMs = 1_500;

/**
 * Starts everything; resolves when every fabric is planned and timers are being served.
 * @param signal gives up waiting for Postgres
 * @throws SchemaRefused, NotListening, or the signal's reason
 */
export async function startDaemon(deps: DaemonDeps, signal: AbortSignal): Promise<Daemon> {
  const { config, log, clock } = deps;
  const daemon = daemonName(deps.hostname, deps.pid);
  const servers = openServers({ config, log, clock, daemon, traced: deps.traces !== null });
  const stopWatching = whenAborted(signal, () => closeDatabasesAfter(lastAnswersMs, servers, deps));
  try {
    await servers.settled();
    return await startOn(servers, daemon, deps, signal);
  } catch (cause) {
    await servers.close().catch(hearTrouble(log));
    throw cause;
  } finally {
    stopWatching();
  }
}

/** On servers that may not answer yet. Where it fails nothing of it is left but the servers. */
async function startOn(servers: Servers, daemon: string, deps: DaemonDeps, signal: AbortSignal): Promise<Daemon> {
  const { config, env, log, clock, dice, notifier, pid, version } = deps;
  const { store, timers, lock, apis } = servers;
  const measure = new Measure(deps.measuring.metrics, clock);
  const traced = deps.traces ? { tracing: deps.traces.tracing } : {};
  const core = composeCore({ config, log, clock, dice, daemon, store, timers, lock, apis, measure, ...traced });
  const { fleet, sweep, post, pruner, pump, tidings, attempts } = core;
  const postgres = new PostgresAwaited({ migrate: () => servers.migrate(), log, clock, notifier, signal });
  const postgresAway = () => postgres.trouble ?? (sweep.trouble === null ? null : { problem: sweep.trouble });
  const databaseTrouble = () => postgresAway()?.problem ?? null;
  const vitals = new Vitals({
    daemon,
    version,
    pid,
    clock,
    fleet,
    pump,
    servers,
    databaseTrouble,
    keyIds: () => sealingKeyIds(config),
  });

  const inspector = openInspector({
    config,
    control: deps.control ?? config.inspectorControl,
    log,
    clock,
    daemon,
    version,
    pid,
    core,
    servers,
    postgresAway,
    stuck: () => {
      const health = vitals.progress();
      return health.ok ? null : health.why;
    },
    tracing: deps.traces?.tracing ?? noTracing,
    traces: deps.traces?.buffer ?? null,
  });
  const metrics = { scrape: deps.measuring.scrape, contentType: prometheusContentType, clock };
  const admin = new AdminServer({
    socketPath: config.adminSocket,
    tidings,
    health: () => vitals.health(),
    fleet: () => vitals.fleet(),
    levels: deps.levels,
    metrics,
    inspector: inspector.onSocket,
  });
  const listener = config.metricsListen && new MetricsListener({ ...metrics, address: config.metricsListen, log });
  const stately =
    config.stately &&
    new StatelyServer({
      listen: config.stately,
      clock,
      log,
      members: () => fleet.members(),
      onTransition: core.onTransition,
    });
  const watchdog = new Watchdog({
    env,
    pid,
    notifier,
    clock,
    healthy: () => vitals.progress(),
    onChange: (health) => {
      if (health.ok) log.info({}, 'the daemon makes progress again; the watchdog is fed');
      else log.error({ why: health.why }, `the daemon makes no progress, the watchdog is not fed: ${health.why}`);
    },
  });
  const statusLine: Service = announcer(clock, () => notifier.status(vitals.statusLine()));
  // Postgres may go away again before every fabric was planned (B1).
  const whilePostgresLasts = {
    worthAnother: (cause: unknown) => FabricFailure.from(cause).code === 'DATABASE_UNAVAILABLE',
    wait: () => postgres.again(),
  };
  const stopObserving = deps.measuring.metrics.observe(
    daemonFacts({
      measure,
      fleet,
      vitals,
      redis: config.redisUrl === null ? null : () => servers.degraded() === null,
      postgres: () => databaseTrouble() === null,
    }),
  );
  const stopListening = servers.onModeChange(() => {
    // The first pass is still to come, and compares everything.
    if (postgres.trouble !== null) return;
    sweep
      .now('redis changed')
      .catch((cause: unknown) => log.debug({ err: cause }, 'the sweep failed; it is tried again'));
  });
  const endRuns = async (sinceMs: number, hurry: AbortSignal) => {
    try {
      const graceMs = Math.max(0, sinceMs + config.gracePeriodMs - clock.monotonicMs());
      const { aborted } = await fleet.stop({ graceMs, abortMs, hurriedMs }, hurry);
      if (aborted > 0) log.warn({ aborted }, `${aborted} run(s) were aborted and will be resumed at the next start`);
    } finally {
      await attempts.dropAll();
    }
  };
  let stopServices = async () => {};
  const endServices = async (hurry: AbortSignal) => {
    const stopWaiting = closeDatabasesAfter(lastAnswersMs, servers, deps);
    const stopWatching = whenAborted(hurry, () => closeDatabasesAfter(0, servers, deps));
    await stopServices().finally(() => {
      stopWaiting();
      stopWatching();
    });
  };
  /** No timer is taken any more; then the runs in hand; then what they and whoever looks at them need. */
  const endAllParts = (hurry: AbortSignal) => {
    const sinceMs = clock.monotonicMs();
    return endAll(
      [stopListening, () => pump.stop(), () => endRuns(sinceMs, hurry), () => endServices(hurry), stopObserving],
      hearTrouble(log),
    );
  };
  try {
    // Who looks is served before Postgres answers (B1). Then news first, so that none is missed; then the sweep, whose first
    // pass plans every fabric; the timers last (B2).
    const services = [
      deps.levels,
      vitals,
      admin,
      ...(listener ? [listener] : []),
      inspector.service,
      ...(stately ? [stately] : []),
      postgres,
      patient(post, whilePostgresLasts),
      patient(sweep, whilePostgresLasts),
      pruner,
      watchdog,
      statusLine,
    ];
    stopServices = await startAll(services, hearTrouble(log));
    await pump.start();
  } catch (cause) {
    await endAllParts(AbortSignal.abort()).catch(hearTrouble(log));
    throw cause;
  }
  log.info(
    { daemon, version, fabrics: fleet.size, degraded: servers.degraded() !== null },
    `fabric-syncd ${version} keeps ${fleet.size} fabric(s)`,
  );
  notifier.ready(vitals.statusLine());

  let stopping: Promise<void> | null = null;
  const stop = async (hurry: AbortSignal) => {
    notifier.stopping('waiting for runs in hand');
    log.info(
      { running: fleet.slots.running },
      `stopping: ${fleet.slots.running} run(s) in hand may finish within ${config.gracePeriodMs / 1_000} s`,
    );
    await endAll([() => endAllParts(hurry), () => servers.close()], hearTrouble(log));
    log.info({}, 'stopped');
  };
  return {
    async reload() {
      // The key file is read at each run anyway; what a reload adds is a look at every fabric now.
      notifier.reloading('looking at every fabric again');
      deps.levels.restore('reloaded');
      await sweep
        .now('reload')
        .catch((cause: unknown) => log.warn({ err: cause }, 'the sweep failed; it is tried again'));
      log.info({}, 'reloaded');
      notifier.ready(vitals.statusLine());
    },
    stop: (hurry) => {
      stopping ??= stop(hurry);
      return stopping;
    },
  };
}

/** B4. @returns "not any more" */
function closeDatabasesAfter(ms: number, servers: Servers, { clock, log }: DaemonDeps): () => void {
  return clock.after(ms, () => {
    servers.closeDatabases().catch(hearTrouble(log));
  });
}

/** @param act begins something and returns how it is stopped. @returns "stop it, and do not begin it any more" */
function whenAborted(signal: AbortSignal, act: () => () => void): () => void {
  let stop = () => {};
  const begin = () => {
    stop = act();
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return () => {
    signal.removeEventListener('abort', begin);
    stop();
  };
}

/** There is one error to throw, and this is not it. */
function hearTrouble(log: Log): (cause: unknown) => void {
  return (cause) => log.warn({ err: cause }, 'a part of the daemon did not end cleanly');
}

/** Says how things are, every few seconds, where systemd listens. */
function announcer(clock: Clock, say: () => void): Service {
  const everyMs = 5_000;
  let cancel: (() => void) | null = null;
  const turn = () => {
    cancel = clock.after(everyMs, turn);
    say();
  };
  return {
    name: 'status line',
    async start() {
      turn();
    },
    async stop() {
      cancel?.();
      cancel = null;
    },
  };
}

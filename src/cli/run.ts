import { randomUUID } from 'node:crypto';
import type { Daemon } from '../daemon.ts';
import { keepHeapSmall } from '../heap.ts';
import { openLog } from '../log.ts';
import { LogLevels } from '../log-level.ts';
import { readVersion } from '../version.ts';
import { configured } from './configured.ts';
import { verb } from './verb.ts';

export const runVerb = verb<[], { control?: true }>({
  path: ['run'],
  summary: 'run the daemon in the foreground',
  details:
    'Logs to standard output. SIGTERM lets runs in hand finish within FABRIC_SYNCD_GRACE_PERIOD and then aborts them; ' +
    'a second signal aborts them now. SIGHUP looks at every fabric again, and puts the log level back.',
  examples: ['fabric-syncd run', 'REDIS_URL=none fabric-syncd run'],
  ownSignals: true,
  define(command) {
    command.option('--control', 'who logs in to the inspector’s page may act there (FABRIC_SYNCD_INSPECTOR_CONTROL)');
  },
  async run({ world, options }) {
    keepHeapSmall();
    const config = configured(world);
    const log = await openLog({
      level: config.logLevel,
      format: config.logFormat,
      destination: world.stdout,
      isTerminal: world.isTerminal.stdout,
    });
    // Loaded here, so that `--help` need not wait for drivers.
    const version = readVersion();
    const [{ startMeasuring }, { startLogExport }, { openTraces }, { resourceOf }] = await Promise.all([
      import('../../otel/metrics-start.ts'),
      import('../../otel/log-start.ts'),
      import('../../otel/start.ts'),
      import('../../otel/resource.ts'),
    ]);
    const warn = (line: string) => log.warn({}, line);
    const resource = resourceOf({ env: world.env, version, instance: randomUUID() });
    const measuring = startMeasuring({ env: world.env, resource, version, warn });
    const meterProvider = measuring.provider;
    const logExport = startLogExport({ env: world.env, resource, version, meterProvider, warn });
    if (logExport) log.alsoTo((line) => logExport.send(line));
    const traces = await openTraces({
      env: world.env,
      resource,
      version,
      keep: config.inspector !== null,
      meterProvider,
      nowMs: world.clock.nowMs,
      warn,
    });
    const [{ startDaemon }, { SystemdNotifier }] = await Promise.all([
      import('../daemon.ts'),
      import('../systemd/notify.ts'),
    ]);
    const notifier = new SystemdNotifier({
      env: world.env,
      onTrouble: (cause) => log.warn({ err: cause }, 'systemd could not be told'),
    });
    await notifier.start();

    const end = new AbortController();
    const hurry = new AbortController();
    const asked = Promise.withResolvers<void>();
    const onEnd = (name: string) => () => {
      if (end.signal.aborted) {
        log.warn({ signal: name }, `${name} again: stopping now`);
        hurry.abort();
      } else {
        log.info({ signal: name }, `${name}: stopping`);
        end.abort(new Error(name));
      }
      asked.resolve();
    };
    let daemon: Daemon | null = null;
    const onReload = () => {
      // Nothing is kept yet that could be looked at again: while Postgres is waited for, say.
      if (daemon === null) log.info({}, 'not started yet: there is nothing to reload');
      else daemon.reload().catch((cause: unknown) => log.error({ err: cause }, 'the reload failed'));
    };
    const deaf = [
      world.onSignal('SIGTERM', onEnd('SIGTERM')),
      world.onSignal('SIGINT', onEnd('SIGINT')),
      world.onSignal('SIGHUP', onReload),
    ];
    try {
      daemon = await startDaemon(
        {
          config,
          env: world.env,
          log,
          clock: world.clock,
          dice: world.dice,
          hostname: world.hostname,
          pid: world.pid,
          version,
          notifier,
          ...(options.control && { control: true }),
          levels: new LogLevels(log, world.clock),
          measuring,
          traces,
        },
        end.signal,
      );
      await asked.promise;
      await daemon.stop(hurry.signal);
      return 'done';
    } catch (cause) {
      // Told to stop before it had started: an end in order.
      if (end.signal.aborted && cause === end.signal.reason) return 'done';
      throw cause;
    } finally {
      for (const stopListening of deaf) stopListening();
      await notifier.stop();
      await Promise.all([traces?.stop(), logExport?.stop(), measuring.stop()]);
      const { failed = 0, dropped = 0 } = traces?.counts() ?? {};
      if (failed + dropped > 0) log.warn({ failed, dropped }, `${failed + dropped} span(s) were never delivered`);
      await log.flush();
    }
  },
});

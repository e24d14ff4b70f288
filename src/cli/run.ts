import type { Config } from '../config.ts';
import type { Daemon } from '../daemon.ts';
import { keepHeapSmall } from '../heap.ts';
import { type Log, openLog, type RootLog } from '../log.ts';
import { LogLevels } from '../log-level.ts';
import { endingAll } from '../service.ts';
import { readVersion } from '../version.ts';
import { configured } from './configured.ts';
import type { Exit } from './exit-codes.ts';
import { openTelemetry, type Telemetry } from './telemetry.ts';
import { verb } from './verb.ts';
import type { World } from './world.ts';

export const runVerb = verb<[], { control?: true }>({
  path: ['run'],
  summary: 'run the daemon in the foreground',
  details:
    'Logs to standard output, with --json a JSON object a line also on a terminal. SIGTERM lets runs in hand finish within FABRIC_SYNCD_GRACE_PERIOD and then aborts them; ' +
    'a second signal aborts them now. SIGHUP looks at every fabric again, and puts the log level back.',
  examples: ['fabric-syncd run', 'REDIS_URL=none fabric-syncd run'],
  ownSignals: true,
  define(command) {
    command.option('--control', 'who logs in to the inspector’s page may act there (FABRIC_SYNCD_INSPECTOR_CONTROL)');
  },
  async run({ world, options, out }) {
    keepHeapSmall();
    const config = configured(world);
    const log = await openLog({
      level: config.logLevel,
      // A daemon has no document to print; whoever asks for JSON gets its log as that.
      format: out.json ? 'json' : config.logFormat,
      destination: world.stdout,
      isTerminal: world.isTerminal.stdout,
    });
    const ends: (() => unknown)[] = [() => log.flush()];
    const hear = (cause: unknown) => log.warn({ err: cause }, 'a part of the program did not end cleanly');
    return endingAll(() => serve(world, { config, log, control: options.control === true, ends }), ends, hear);
  },
});

/** @param ends what is opened is put in front of them, and ended by the caller */
async function serve(
  world: World,
  { config, log, control, ends }: { config: Config; log: RootLog; control: boolean; ends: (() => unknown)[] },
): Promise<Exit> {
  const version = readVersion();
  const telemetry = await openTelemetry(world, { config, log, version });
  ends.unshift(() => telemetry.stop().finally(() => tellUndelivered(telemetry, log)));
  // Loaded here, so that `--help` need not wait for drivers.
  const [{ startDaemon }, { SystemdNotifier }] = await Promise.all([
    import('../daemon.ts'),
    import('../systemd/notify.ts'),
  ]);
  const notifier = new SystemdNotifier({
    env: world.env,
    onTrouble: (cause) => log.warn({ err: cause }, 'systemd could not be told'),
  });
  ends.unshift(() => notifier.stop());
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
  ends.unshift(
    world.onSignal('SIGTERM', onEnd('SIGTERM')),
    world.onSignal('SIGINT', onEnd('SIGINT')),
    world.onSignal('SIGHUP', onReload),
  );
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
        ...(control && { control }),
        levels: new LogLevels(log, world.clock),
        measuring: telemetry.measuring,
        traces: telemetry.traces,
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
  }
}

function tellUndelivered({ traces }: Telemetry, log: Log): void {
  const { failed = 0, dropped = 0 } = traces?.counts() ?? {};
  if (failed + dropped > 0) log.warn({ failed, dropped }, `${failed + dropped} span(s) were never delivered`);
}

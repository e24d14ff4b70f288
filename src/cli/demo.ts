import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { parseEndpoint } from '../demo/endpoint.ts';
import { ManifestsInvalid } from '../demo/fabrics/manifests-invalid.ts';
import { NotStarted } from '../demo/servers/not-started.ts';
import type { Stage } from '../demo/stage.ts';
import type { StatusView } from '../inspector/view.ts';
import { duration } from './arguments.ts';
import { CliFailure } from './cli-failure.ts';
import type { Exit } from './exit-codes.ts';
import type { Output } from './output.ts';
import { type Servers, withServers } from './servers.ts';
import { look } from './status-look.ts';
import { limit } from './status-text.ts';
import { changeLines, redraw, screen } from './status-watch.ts';
import { type Call, verb } from './verb.ts';
import type { World } from './world.ts';

interface Options {
  readonly manifests: readonly string[];
  readonly for?: number;
  readonly stateDir?: string;
  readonly otlp?: string;
}

type DemoCall = Call<[], Options>;

const lookEveryMs = 500;
/** So long the daemon may take to start before the table says that it does not answer. */
const startMsMax = 15_000;
/** What is in hand when the time is over may finish. */
const settleMsMax = 15_000;

export const demoVerb = verb<[], Options>({
  path: ['demo'],
  summary: 'watch it work: private servers, simulated fabrics and a real daemon',
  details:
    'Starts a private PostgreSQL and Redis (or uses DATABASE_URL and REDIS_URL), three simulated fabrics behind TLS (lab, ' +
    'medium, large) with edits going on, and the daemon as a process of its own; medium fails for a while. Ctrl-C ends it ' +
    'all, a second one without waiting for the daemon. Its data stays: the next demo finds its timers again.',
  examples: [
    'fabric-syncd demo',
    'fabric-syncd demo --manifests wiring.yaml --manifests vpcs/',
    'fabric-syncd demo --otlp http://localhost:4318',
    'fabric-syncd demo --for 30s --json',
  ],
  define(command: Command) {
    command
      .option(
        '--manifests <path>',
        'add a fabric that serves these YAML objects (file or folder; repeatable)',
        collect,
        [],
      )
      .option('--for <duration>', 'end by itself after this time', duration)
      .option('--otlp <url>', 'tell traces, metrics and log to this collector or Jaeger (OTLP over HTTP)', endpoint)
      .option('--state-dir <folder>', 'where its data is kept');
  },
  // Ended by the verb alone, however long it takes: nothing that was started may stay behind.
  ownSignals: true,
  async run(given) {
    const { world, out } = given;
    const end = new AbortController();
    let stage: Stage | null = null;
    const onEnd = () => {
      if (end.signal.aborted) stage?.daemon.signal('SIGKILL');
      end.abort(new Error('stopped by a signal'));
    };
    // SIGHUP: the terminal was closed; nothing may be left running behind it.
    const deaf = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => world.onSignal(signal, onEnd));
    const call = { ...given, signal: AbortSignal.any([given.signal, end.signal]) };
    try {
      return await play(call, (set) => {
        stage = set;
      });
    } catch (thrown) {
      if (call.signal.aborted) return interrupted(out);
      if (thrown instanceof NotStarted) throw new CliFailure('failed', 'NOT_STARTED', thrown.message);
      if (thrown instanceof ManifestsInvalid) throw manifestsFailure(thrown);
      throw thrown;
    } finally {
      for (const stopListening of deaf) stopListening();
    }
  },
});

function manifestsFailure({ problems }: ManifestsInvalid): CliFailure {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new CliFailure('usage', 'MANIFESTS_INVALID', `the manifests have ${count}`, {
    hint: problems.join('\n'),
    beside: { problems },
  });
}

/** From the first server's start to the last one's end. `onStage` hears of the stage once it stands. */
async function play(call: DemoCall, onStage: (stage: Stage) => void): Promise<Exit> {
  const { world, options, out, signal } = call;
  const [{ askCollector, whereToLook }, { setStage }, { roster }, { weather, fairAgainMs }] = await Promise.all([
    import('../demo/collector.ts'),
    import('../demo/stage.ts'),
    import('../demo/roster.ts'),
    import('../demo/weather.ts'),
  ]);
  const drawn = world.isTerminal.stdout && !out.json;
  const remarks: string[] = [];
  // Also beside `--json`: half a minute without a sign of life is long.
  const say = (line: string) => world.stderr.write(`${line}\n`);
  const startedMs = world.clock.nowMs();
  const collector = options.otlp === undefined ? null : await askCollector(options.otlp, world.env, signal);
  const traces = collector && whereToLook(collector, world.env);
  if (collector) say(`telemetry: ${collector.remark}`);
  if (traces) say(traces);
  const stage = await setStage({
    stateDir: stateFolder(world, options.stateDir),
    parts: roster(options.manifests.map((path) => resolve(world.cwd, path))),
    entry: world.entry,
    env: world.env,
    collector,
    clock: world.clock,
    dice: world.dice,
    say,
    signal,
  });
  onStage(stage);
  const medium = stage.fabrics.get('medium');
  const sky =
    medium && (options.for === undefined || options.for > fairAgainMs)
      ? weather(medium, { clock: world.clock, say: (line) => remarks.push(line) })
      : null;
  const died = new AbortController();
  stage.daemon.ended.then(
    (how) => died.abort(new Error(String(how))),
    () => {},
  );
  const staged = {
    ...call,
    world: { ...world, env: { ...world.env, ...stage.env } },
    signal: AbortSignal.any([signal, died.signal]),
  };
  try {
    await sky?.start();
    return await withServers(staged, async (servers) => {
      await daemonAnswers(staged, servers);
      await show(staged, servers, stage, { remarks, traces, drawn });
      if (died.signal.aborted) throw await daemonDied(stage, String((died.signal.reason as Error).message));
      if (signal.aborted) return interrupted(out);
      return conclude(staged, servers, stage, startedMs);
    });
  } finally {
    await sky?.stop();
    say('ending the demo');
    await stage.stop();
  }
}

function interrupted(out: Output): Exit {
  if (!out.printed) out.document({ error: { code: 'INTERRUPTED', message: 'stopped by a signal', hint: '' } });
  return 'interrupted';
}

/** Until it does, or has had time enough: what the table says of it from there on is news. */
async function daemonAnswers(call: DemoCall, servers: Servers): Promise<void> {
  const { clock } = call.world;
  const deadlineMs = clock.monotonicMs() + startMsMax;
  while (clock.monotonicMs() < deadlineMs && !call.signal.aborted) {
    const { view } = await look(undefined, call, servers);
    if (view.daemon.answers) return;
    await clock.sleep(lookEveryMs, call.signal).catch(() => {});
  }
}

interface Shown {
  readonly remarks: readonly string[];
  /** Where the traces are; null where the demo does not know. */
  readonly traces: string | null;
  readonly drawn: boolean;
}

/** Draws or tells until the time is over or somebody ends it. */
async function show(call: DemoCall, servers: Servers, stage: Stage, { remarks, traces, drawn }: Shown): Promise<void> {
  const { world, out, options, signal } = call;
  const { stdout, clock } = world;
  const untilMs = options.for === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + options.for;
  // In a checkout the program is on no search path.
  const program = import.meta.url.endsWith('.ts') ? 'npx fabric-syncd' : 'fabric-syncd';
  const footer = [
    '',
    'Ctrl-C ends it. In another terminal:',
    `  . ${stage.envFile}`,
    `  ${program} status lab`,
    `  ${program} inspect --link`,
    '  kubectl get switches,vpcs,connections',
    ...(traces === null ? [] : [`  ${traces}`]),
  ];
  let before: StatusView | null = null;
  let told = 0;
  if (drawn) stdout.write(screen.enter);
  try {
    while (clock.monotonicMs() < untilMs) {
      const { view, lines } = await look(undefined, call, servers);
      if (drawn) {
        const body = [
          ...lines({ width: world.columns(), paint: out.paint }),
          '',
          ...remarks.slice(-3).flatMap((line) => limit(`· ${line}`, world.columns())),
          ...footer.flatMap((line) => limit(line, world.columns())),
        ];
        stdout.write(redraw(body, rowsOf(stdout)));
      } else {
        for (const line of changeLines(before, view)) world.stderr.write(`${line}\n`);
        for (const line of remarks.slice(told)) world.stderr.write(`· ${line}\n`);
        told = remarks.length;
      }
      before = view;
      await clock.sleep(Math.min(lookEveryMs, Math.max(0, untilMs - clock.monotonicMs())), signal);
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    if (drawn) stdout.write(screen.leave);
  }
}

/** The last look: what is in hand may finish; then everything must be in sync. */
async function conclude(call: DemoCall, servers: Servers, stage: Stage, startedMs: number): Promise<Exit> {
  const { world, out, signal } = call;
  const deadlineMs = world.clock.monotonicMs() + settleMsMax;
  for (;;) {
    const { view } = await look(undefined, call, servers);
    const well = view.fabrics.every(({ sync_status }) => sync_status === 'in_sync');
    if (!well && world.clock.monotonicMs() < deadlineMs) {
      await world.clock.sleep(lookEveryMs, signal);
      continue;
    }
    const fabrics = await Promise.all(
      view.fabrics.map(async ({ id, name, state, sync_status, last_sync, due_at, objects }) => {
        const runs = (await servers.operator.runs(id, 10_000)).filter((run) => run.startedMs >= startedMs);
        const failures = runs.filter(({ outcome }) => outcome === 'failed' || outcome === 'interrupted').length;
        return { name, state, sync_status, last_sync, due_at, objects, runs: runs.length, failures };
      }),
    );
    const { collector } = stage;
    const otlp = collector && { endpoint: collector.endpoint, signals: collector.takes };
    out.document({ fabrics, otlp, redis: stage.redis, postgres: stage.postgres });
    for (const one of fabrics) {
      out.say(`${one.name}: ${one.sync_status}, ${one.objects} objects, ${one.runs} runs, ${one.failures} failed`);
    }
    return well ? 'done' : 'failed';
  }
}

async function daemonDied(stage: Stage, how: string): Promise<CliFailure> {
  return new CliFailure('failed', 'DAEMON_ENDED', `the daemon ended by itself (${how})`, {
    hint: `Its last lines, from ${stage.daemonLog}:\n${await stage.daemon.lastLines(5)}`,
  });
}

function stateFolder(world: World, given: string | undefined): string {
  if (given !== undefined) return resolve(world.cwd, given);
  return join(world.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'fabric-syncd', 'demo');
}

function rowsOf(stream: object): number {
  return 'rows' in stream && typeof stream.rows === 'number' && stream.rows > 1 ? stream.rows : 24;
}

function endpoint(text: string): string {
  try {
    return parseEndpoint(text);
  } catch (thrown) {
    throw new InvalidArgumentError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function collect(path: string, before: readonly string[]): readonly string[] {
  return [...before, path];
}

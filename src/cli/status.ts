import type { StatusView } from '../inspector/view.ts';
import { usageFailure } from './cli-failure.ts';
import type { Exit } from './exit-codes.ts';
import { type Servers, withServers } from './servers.ts';
import { look } from './status-look.ts';
import { changeLines, redraw, screen } from './status-watch.ts';
import { type Call, verb } from './verb.ts';

const watchEveryMs = 1_000;

type StatusCall = Call<[fabric?: string], { watch?: true }>;

export const statusVerb = verb<[fabric?: string], { watch?: true }>({
  path: ['status'],
  summary: 'how every fabric stands, or one of them in detail',
  details:
    'State, due time, last sync, counts and errors from Postgres, with the timers as Redis has them; it says where the two ' +
    'disagree. What cannot be asked is named, and the rest is told. +/~/- are the objects that the last run created, ' +
    'updated and deleted.',
  examples: [
    'fabric-syncd status',
    'fabric-syncd status lab',
    'fabric-syncd status --watch',
    'fabric-syncd status --json',
  ],
  define(command) {
    command
      .argument('[fabric]', 'name or number')
      .option('--watch', 'go on: drawn again, or a line a change into a pipe');
  },
  async run(call) {
    const { options, out } = call;
    if (options.watch && out.json) {
      throw usageFailure('--watch has no end and --json is one document', 'Give one of the two.');
    }
    return withServers(call, (servers) => (options.watch ? watch(call, servers) : once(call, servers)), {
      withoutPostgres: true,
    });
  },
});

async function once(call: StatusCall, servers: Servers): Promise<Exit> {
  const { out, world } = call;
  const { view, lines, document } = await look(call.args[0], call, servers);
  out.document(document);
  const text = lines({ width: world.columns(), paint: out.paint });
  for (const line of text) out.say(line);
  return exitOf(view);
}

async function watch(call: StatusCall, servers: Servers): Promise<Exit> {
  const { world, out, signal } = call;
  const { stdout, clock } = world;
  const drawn = world.isTerminal.stdout;
  let before: StatusView | null = null;
  if (drawn) stdout.write(screen.enter);
  try {
    while (!signal.aborted) {
      const { view, lines } = await look(call.args[0], call, servers);
      if (drawn) stdout.write(redraw(lines({ width: world.columns(), paint: out.paint }), rowsOf(stdout)));
      else for (const line of changeLines(before, view)) out.say(line);
      before = view;
      await clock.sleep(watchEveryMs, signal);
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    if (drawn) stdout.write(screen.leave);
  }
  return 'done';
}

/** Rows of the terminal, now. */
function rowsOf(stream: object): number {
  return 'rows' in stream && typeof stream.rows === 'number' && stream.rows > 1 ? stream.rows : 24;
}

/** The answer was given, so a part that is down does not make the verb fail; without the truth there was none. */
function exitOf(view: StatusView): Exit {
  return view.postgres.answers ? 'done' : 'database_unavailable';
}

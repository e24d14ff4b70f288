import { formatIso } from '../clock.ts';
import { shellWord } from '../inspector/hints.ts';
import { isRunning } from '../inspector/view.ts';
import { some } from './arguments.ts';
import { usageFailure } from './cli-failure.ts';
import { parseMoment } from './moment.ts';
import { namedRow } from './named-fabric.ts';
import { withServers } from './servers.ts';
import { verb } from './verb.ts';
import { whoAsks } from './world.ts';

export const pauseVerb = verb<[fabric: string], { reason: string; until?: string }>({
  path: ['pause'],
  summary: 'stop syncing a fabric for a while',
  details:
    'Who, why and until when are stored and shown by status. A run in hand goes on to its end; stop it with cancel. ' +
    'Without --until the pause lasts until resume.',
  examples: [
    'fabric-syncd pause lab --reason "switch upgrade" --until 2h',
    'fabric-syncd pause lab --reason "being rebuilt"',
    'fabric-syncd pause lab --reason "change freeze" --until 2026-12-31T18:00Z',
  ],
  define(command) {
    command
      .argument('<fabric>', 'name or number')
      .requiredOption('--reason <text>', 'why, for whoever looks at it', some)
      .option('--until <time>', 'a length such as 2h, or a time such as 2026-12-31T18:00Z');
  },
  async run({ world, args: [fabric], options, out, signal }) {
    return withServers({ world, signal }, async ({ operator }) => {
      const { row, nowMs } = await namedRow(operator, fabric);
      const untilMs = options.until === undefined ? null : parseMoment(options.until, nowMs, 1);
      if (untilMs !== null && untilMs <= nowMs) throw usageFailure(`--until ${options.until} has passed already`);
      const by = whoAsks(world);
      await operator.pause(row.fabricId, { by, reason: options.reason, untilMs });
      const until = untilMs === null ? null : formatIso(untilMs);
      out.document({ fabric: row.name, id: row.fabricId, paused: true, by, reason: options.reason, until });
      out.say(`${row.name} is paused${until ? ` until ${until}` : ''}.`);
      if (isRunning(row, nowMs)) {
        out.note(`The run in hand goes on; stop it: fabric-syncd cancel ${shellWord(row.name)}`);
      }
      return 'done';
    });
  },
});

import { type RunView, runView } from '../inspector/view.ts';
import { whole } from './arguments.ts';
import { namedFabric } from './named-fabric.ts';
import { runTable } from './run-text.ts';
import { withServers } from './servers.ts';
import { verb } from './verb.ts';

export const historyVerb = verb<[fabric: string], { limit: number }>({
  path: ['history'],
  summary: 'the runs of a fabric, the newest first',
  details:
    'LATE is how long after its due time a run began. +/~/- are the objects that it created, updated and deleted; ' +
    '"unsynced" are those that left because their kind is not read any more. See what a run changed with diff.',
  examples: ['fabric-syncd history lab', 'fabric-syncd history lab --limit 200 --json'],
  define(command) {
    command.argument('<fabric>', 'name or number').option('--limit <number>', 'how many at most', whole(1, 10_000), 20);
  },
  async run({ world, args: [fabric], options, out, signal }) {
    return withServers({ world, signal }, async ({ operator }) => {
      const { fabricId, name } = await namedFabric(operator, fabric);
      const runs: RunView[] = (await operator.runs(fabricId, options.limit)).map((run) => runView(run, name));
      out.document({ fabric: name, id: fabricId, runs });
      if (runs.length === 0) out.say(`${name} has not been synced yet.`);
      else out.table(...runTable(runs));
      return 'done';
    });
  },
});

import { type ChangedObject, compared } from '../inspector/changes-view.ts';
import { pathText } from '../inspector/diff.ts';
import { runView } from '../inspector/view.ts';
import { CliFailure } from './cli-failure.ts';
import { changesText } from './counts-text.ts';
import { diffText } from './diff-text.ts';
import { withServers } from './servers.ts';
import { verb } from './verb.ts';

const fieldsMax = 20;
const namesMax = 20;

export const diffVerb = verb<[run: string], { full?: true }>({
  path: ['diff'],
  summary: 'what a run changed, field by field',
  details:
    'Each changed field with its path and what it was before and after. Objects that were created or deleted are named. ' +
    'The numbers of runs are told by history.',
  examples: ['fabric-syncd diff 1042', 'fabric-syncd diff 1042 --full', 'fabric-syncd diff 1042 --json'],
  define(command) {
    command.argument('<run>', 'number of the run').option('--full', 'leave nothing out, however much it is');
  },
  async run({ world, args: [runId], options, out, signal }) {
    return withServers({ world, signal }, async ({ operator }) => {
      const run = /^[0-9]{1,18}$/.test(runId) ? await operator.run(runId) : null;
      if (!run) {
        throw new CliFailure('not_found', 'NO_SUCH_RUN', `there is no run "${runId}"`, {
          hint: 'The runs of a fabric: fabric-syncd history FABRIC.',
        });
      }
      const [fabric] = (await operator.status(run.fabricId)).fabrics;
      const name = fabric?.name ?? run.fabricId;
      const objects = (await operator.changes(run.runId)).map(compared);
      const came = runView(run, name);
      out.document({ fabric: name, id: run.fabricId, run: came, changes: objects.map(document) });
      out.say(`${name}, run ${run.runId}: ${changesText(came)}`);
      const limits = options.full ? { fieldsMax: Infinity, namesMax: Infinity } : { fieldsMax, namesMax };
      const { lines, leftOut } = diffText(objects, { ...limits, paint: out.paint });
      for (const line of lines) out.say(line);
      if (leftOut > 0) out.say(`… and ${leftOut} more; see everything: fabric-syncd diff ${run.runId} --full`);
      return 'done';
    });
  },
});

function document({ differences, ...named }: ChangedObject): object {
  return {
    ...named,
    fields: differences.map(({ path, ...difference }) => ({ path: pathText(path), ...difference })),
  };
}

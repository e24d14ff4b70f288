import { namedRow } from './named-fabric.ts';
import { withServers } from './servers.ts';
import { verb } from './verb.ts';
import { whoAsks } from './world.ts';

export const resumeVerb = verb<[fabric: string]>({
  path: ['resume'],
  summary: 'sync a paused fabric again',
  details: 'It is due at once where its time has passed meanwhile. A fabric that is not paused is left as it is.',
  examples: ['fabric-syncd resume lab'],
  define(command) {
    command.argument('<fabric>', 'name or number');
  },
  async run({ world, args: [fabric], out, signal }) {
    return withServers({ world, signal }, async ({ operator }) => {
      const { row } = await namedRow(operator, fabric);
      const resumed = await operator.resume(row.fabricId, whoAsks(world));
      out.document({ fabric: row.name, id: row.fabricId, paused: false, resumed });
      out.say(resumed ? `${row.name} is resumed.` : `${row.name} was not paused.`);
      return 'done';
    });
  },
});

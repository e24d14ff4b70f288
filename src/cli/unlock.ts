import { shellWord } from '../inspector/hints.ts';
import { namedRow } from './named-fabric.ts';
import { plain } from './plain-text.ts';
import { withServers } from './servers.ts';
import { verb } from './verb.ts';
import { whoAsks } from './world.ts';

export const unlockVerb = verb<[fabric: string]>({
  path: ['unlock'],
  summary: 'free a fabric from a run that hangs',
  details:
    'Takes the lock away from whoever holds it. That is safe at any time: the run that is cut off cannot write to the ' +
    'inventory any more, and the fabric is synced again as it was due. A lock of a daemon that died frees itself when ' +
    'its lease ends, so this is for a daemon that lives and hangs.',
  examples: ['fabric-syncd unlock lab'],
  define(command) {
    command.argument('<fabric>', 'name or number');
  },
  async run({ world, args: [fabric], out, signal }) {
    return withServers({ world, signal }, async ({ operator, breakLock }) => {
      const { row } = await namedRow(operator, fabric);
      // The epoch first: from here on whoever holds the lock in Redis may no longer commit, so the lock protects nobody.
      const unlocked = await operator.unlock(row.fabricId, whoAsks(world));
      const redis = await breakLock(row.fabricId);
      const holder = unlocked?.holder ?? null;
      const run = unlocked?.runId ?? null;
      out.document({
        fabric: row.name,
        id: row.fabricId,
        holder,
        fenced_run: run,
        epoch: unlocked?.epoch ?? null,
        redis,
      });
      if (holder !== null || run !== null) {
        out.say(
          `${row.name} is unlocked${holder ? `; ${plain(holder)} held it` : ''}${run ? `; run ${run} was fenced off` : ''}.`,
        );
      } else {
        out.say(`${row.name} was not locked${redis === 'freed' ? ' in Postgres; its lock in Redis is freed' : ''}.`);
      }
      if (redis === 'unavailable') {
        out.note(`Redis does not answer: a lock there ends by itself. See: fabric-syncd status ${shellWord(row.name)}`);
      }
      return 'done';
    });
  },
});

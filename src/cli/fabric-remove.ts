import { shellWord } from '../inspector/hints.ts';
import { askYes } from './ask.ts';
import { CliFailure } from './cli-failure.ts';
import { withSettings } from './database.ts';
import type { Exit } from './exit-codes.ts';
import { namedRecord } from './named-record.ts';
import { plain } from './plain-text.ts';
import { verb } from './verb.ts';

export const fabricRemoveVerb = verb<[fabric: string], { yes?: true }>({
  path: ['fabric', 'remove'],
  summary: 'remove a fabric with all that is stored of it',
  details:
    'The inventory, the runs and the history of the fabric are deleted and cannot be brought back; nothing happens to the ' +
    'fabric itself. To stop syncing it and keep what is stored: fabric-syncd fabric set NAME --disable.',
  examples: ['fabric-syncd fabric remove lab', 'fabric-syncd fabric remove lab --yes'],
  define(command) {
    command.argument('<fabric>', 'name or number').option('--yes', 'do not ask');
  },
  async run(call) {
    const { world, args, options, out, signal } = call;
    return withSettings(call, async (settings): Promise<Exit> => {
      const { fabricId, name } = await namedRecord(settings, args[0]);
      const { objects, tombstones, runs, changes, leaseHolder } = await settings.book.belongings(fabricId);
      const what = `${objects} objects, ${tombstones} tombstones, ${runs} runs and ${changes} changes`;
      if (!options.yes) {
        const running = leaseHolder === null ? '' : ` ${plain(leaseHolder)} is syncing it just now.`;
        const agreed =
          !out.json && (await askYes(world, `Remove ${name} with ${what}?${running} This cannot be undone.`, signal));
        if (!agreed) {
          throw new CliFailure('refused', 'NOT_CONFIRMED', `${name} was not removed: nobody confirmed it`, {
            hint: `It has ${what}. To remove it without being asked: fabric-syncd fabric remove ${shellWord(name)} --yes`,
          });
        }
      }
      const removed = await settings.book.remove(fabricId);
      if (!removed) throw new CliFailure('not_found', 'NO_SUCH_FABRIC', `the fabric "${name}" was removed just now`);
      out.document({ removed: { id: fabricId, name, objects, tombstones, runs, changes } });
      out.say(`${name} is removed, with ${what}.`);
      return 'done';
    });
  },
});

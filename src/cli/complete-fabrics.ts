import { listFabricNames } from '../postgres/operator/list-fabric-names.ts';
import { configured } from './configured.ts';
import { databaseOf } from './database.ts';
import { verb } from './verb.ts';

/** Somebody waits with a finger on the tab key. */
const patienceMs = 1_500;

/** What completion scripts ask. It has names or it has none: nobody reads an error in the middle of a line. */
export const completeFabricsVerb = verb({
  path: ['complete-fabrics'],
  hidden: true,
  summary: 'names of fabrics, one a line, for shell completion',
  examples: ['fabric-syncd complete-fabrics'],
  async run({ world, out }) {
    let names: readonly string[] = [];
    try {
      const database = databaseOf(configured(world), world);
      try {
        names = await database.act('name the fabrics', listFabricNames, patienceMs);
      } finally {
        await database.close();
      }
    } catch {
      // No database, no names.
    }
    out.document({ fabrics: names });
    for (const name of names) out.say(name);
    return 'done';
  },
});

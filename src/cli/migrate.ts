import { migrate, schemaState } from '../postgres/migrate.ts';
import { configured } from './configured.ts';
import { databaseOf } from './database.ts';
import { verb } from './verb.ts';

export const migrateVerb = verb<[], { dryRun?: true }>({
  path: ['migrate'],
  summary: 'bring the schema of the database up to date',
  details:
    'The daemon does this by itself at its start, and so does fabric add; several may do it at once. A schema that is ' +
    'newer than this program is left alone, and the exit status says so.',
  examples: ['fabric-syncd migrate', 'fabric-syncd migrate --dry-run'],
  define(command) {
    command.option('--dry-run', 'say what would be done');
  },
  async run({ world, options, out, signal }) {
    const database = databaseOf(configured(world), world);
    const cut = () => database.cut();
    signal.addEventListener('abort', cut, { once: true });
    try {
      const before = await schemaState(database);
      const applied = options.dryRun ? [] : await migrate(database);
      const { current, needed, pending } = options.dryRun ? before : await schemaState(database);
      out.document({ database: database.where, current, needed, applied, pending });
      for (const name of applied) out.say(`applied  ${name}`);
      for (const name of pending) out.say(`pending  ${name}`);
      if (pending.length === 0) out.say(`The schema of ${database.where} is up to date, at ${current}.`);
      return 'done';
    } finally {
      signal.removeEventListener('abort', cut);
      await database.close();
    }
  },
});

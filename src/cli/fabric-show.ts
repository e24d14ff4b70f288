import { sealingKeyIds } from '../host-credentials.ts';
import { withSettings } from './database.ts';
import { fabricDocument, fabricFacts } from './fabric-document.ts';
import { namedRecord } from './named-record.ts';
import { verb } from './verb.ts';

export const fabricShowVerb = verb<[fabric: string]>({
  path: ['fabric', 'show'],
  summary: 'the settings of one fabric',
  details: 'Secrets are never shown. How the fabric stands is told by: fabric-syncd status NAME.',
  examples: ['fabric-syncd fabric show lab'],
  define(command) {
    command.argument('<fabric>', 'name or number');
  },
  async run(call) {
    const { out, args } = call;
    const { record, config } = await withSettings(call, async (settings) => ({
      record: await namedRecord(settings, args[0]),
      config: settings.config,
    }));
    out.document({ fabric: fabricDocument(record) });
    out.facts(fabricFacts(record, sealingKeyIds(config), call.world.clock.nowMs()));
    return 'done';
  },
});

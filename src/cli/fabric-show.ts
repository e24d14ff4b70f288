import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Config } from '../config.ts';
import { readSealingKey } from '../host-credentials.ts';
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
    out.facts(fabricFacts(record, keyIdHere(config)));
    return 'done';
  },
});

/** The id of this host's key, to say whether it is the one that sealed the credential. */
function keyIdHere(config: Config): string | null {
  try {
    return readSealingKey(config)?.id ?? null;
  } catch (thrown) {
    // Whoever looks at settings need not be allowed to read the key.
    if (thrown instanceof FabricFailure) return null;
    throw thrown;
  }
}

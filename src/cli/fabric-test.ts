import type { FailureNote } from '../../machines/fabric/failure.ts';
import { credentialSources } from '../host-credentials.ts';
import { hintFor } from '../inspector/hints.ts';
import { openCredential } from '../kube/credentials.ts';
import { stepLines, testConnection, testDocument } from './connection-test.ts';
import { withSettings } from './database.ts';
import { namedRecord } from './named-record.ts';
import { verb } from './verb.ts';

export const fabricTestVerb = verb<[fabric: string]>({
  path: ['fabric', 'test'],
  summary: 'what works of the way to a fabric, step by step',
  details:
    'Address, DNS, TCP, TLS, credential, token, and the right to list each kind, each told as it ends. Nothing is stored, ' +
    'and no lock is needed. It runs as you and on this host: a credential of the daemon’s unit cannot be read here.',
  examples: ['fabric-syncd fabric test lab', 'fabric-syncd fabric test lab --json'],
  define(command) {
    command.argument('<fabric>', 'name or number');
  },
  async run(call) {
    const { out, signal, args } = call;
    const { record, config } = await withSettings(call, async (settings) => ({
      record: await namedRecord(settings, args[0]),
      config: settings.config,
    }));
    const hint = (failure: FailureNote) => hintFor(failure, record.name);
    const tested = await testConnection(
      record,
      async () =>
        openCredential(record.credential, { id: record.fabricId, name: record.name }, credentialSources(config)),
      config,
      signal,
      (step) => {
        for (const line of stepLines(step, hint, out.paint)) out.say(line);
      },
    );
    const failed = tested.steps.filter(({ ok }) => !ok).length;
    out.document({ fabric: record.name, id: record.fabricId, ...testDocument(tested, hint) });
    if (failed === 0) out.say(`${record.name}: everything works.`);
    else if (tested.fatal) out.say(`${record.name}: a sync cannot work.`);
    else out.say(`${record.name}: a sync works, but is partial: ${failed} of ${tested.steps.length} steps failed.`);
    return failed === 0 ? 'done' : 'failed';
  },
});

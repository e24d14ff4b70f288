import { redactUrl } from '../kube/address.ts';
import { withSettings } from './database.ts';
import { credentialWord, fabricDocument, syncWords } from './fabric-document.ts';
import { verb } from './verb.ts';

export const fabricListVerb = verb({
  path: ['fabric', 'list'],
  summary: 'every fabric and how it is set',
  details: 'Settings only; how the fabrics stand is told by: fabric-syncd status.',
  examples: ['fabric-syncd fabric list', 'fabric-syncd fabric list --json'],
  async run(call) {
    const { out } = call;
    const records = await withSettings(call, ({ book }) => book.list());
    out.document({ fabrics: records.map(fabricDocument) });
    if (records.length === 0) {
      out.say('No fabrics yet. Add one: fabric-syncd fabric add NAME --kubeconfig FILE');
      return 'done';
    }
    out.table(
      [
        { title: '#', align: 'right' },
        { title: 'NAME', widthMin: 8 },
        { title: 'SERVER', widthMin: 12 },
        { title: 'SYNC' },
        { title: 'CREDENTIAL', widthMin: 6 },
        { title: 'DESCRIPTION', widthMin: 4 },
      ],
      records.map((record) => [
        record.fabricId,
        record.name,
        redactUrl(record.server) || null,
        record.syncEnabled ? syncWords(record) : { text: syncWords(record), colour: 'yellow' },
        credentialWord(record.credential),
        record.description,
      ]),
    );
    return 'done';
  },
});

import { generateKey, readKey } from '../kube/sealing.ts';
import { verb } from './verb.ts';

export const keyGenerateVerb = verb({
  path: ['key', 'generate'],
  summary: 'make a key that seals stored credentials',
  details:
    'Prints the key and nothing else. Keep it outside the database and its backups: who has both can read every sealed ' +
    'credential, and without it they have to be given anew. Name its file in FABRIC_SYNCD_KEY_FILE, or hand it over as ' +
    'the systemd credential fabric-syncd.key.',
  examples: ['(umask 077; fabric-syncd key generate > /etc/fabric-syncd/key)'],
  async run({ out }) {
    const text = generateKey();
    out.text(text);
    out.document({ key: text.trim(), key_id: readKey(text).id });
    return 'done';
  },
});

import { createHash, randomBytes } from 'node:crypto';
import { verb } from './verb.ts';

/** 256 bits, for AES-256-GCM. */
const keyBytes = 32;

export const keyGenerateVerb = verb({
  path: ['key', 'generate'],
  summary: 'make a key that seals stored credentials',
  details:
    'Prints the key and nothing else. Keep it outside the database and its backups: who has both can read every sealed ' +
    'credential, and without it they have to be given anew. Name its file in FABRIC_SYNCD_KEY_FILE, or hand it over as ' +
    'a systemd credential.',
  examples: ['(umask 077; fabric-syncd key generate > /etc/fabric-syncd/key)'],
  async run({ out }) {
    const key = randomBytes(keyBytes);
    const text = key.toString('base64');
    out.text(text);
    out.document({ key: text, key_id: createHash('sha256').update(key).digest('hex').slice(0, 8) });
    return 'done';
  },
});

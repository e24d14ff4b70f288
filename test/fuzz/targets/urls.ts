// Addresses as people paste them, shown without what they hide: by themselves, so that the time that one of them takes is not
// lost among other readers.

import { readServerUrl, redactUrl } from '../../../src/kube/address.ts';
import { refusals, type Target } from '../target.ts';

const password = 'c4n4ry-p4ssw0rd';
/** What a shown address may have at most. */
const shownMax = 200;

export const urls: Target = {
  name: 'urls',
  about: 'addresses of fabrics, and how they are shown',
  seeds: [
    'https://10.0.0.1:6443',
    'https://[fe80::1]:6443/k8s/clusters/c-1',
    'https://user:secret@host/path?token=secret#secret',
    'user:secret@host',
    '//a//b//c@d',
    'https://host/'.repeat(20),
    '@//@//@',
  ],
  async open() {
    return {
      async run(input) {
        const text = input.toString('utf8');
        await refusals(() => readServerUrl(text));
        const shown = redactUrl(text.replace('secret', password));
        if (shown.length > shownMax) throw new Error(`an address is shown with ${shown.length} characters`);
        if (shown.includes(`${password}@`)) throw new Error('a login is told');
      },
      async close() {},
    };
  },
};

// Files that operators name: the CA of a fabric, and a client's certificate with its key. What cannot be used is refused
// before it is stored, and a key is never told.

import { createCa } from '../../../src/demo/fabrics/certificates.ts';
import { assertKeyPair } from '../../../src/kube/key-pair.ts';
import { readCertificates, secureContextFor } from '../../../src/kube/tls.ts';
import { refusals, type Target } from '../target.ts';

const { certPem, keyPem } = createCa('lab', Date.UTC(2026, 0, 1));
/** A line from the middle of the key. */
const secret = keyPem.split('\n')[1] ?? '';

export const certificates: Target = {
  name: 'pem',
  about: 'a CA file, or a certificate with its key',
  seeds: [
    certPem,
    `${certPem}${certPem}`,
    `# k3s\n${certPem.replaceAll('\n', '\r\n')}`,
    `${certPem}${keyPem}`,
    certPem.replace('MII', 'AAA'),
    '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----',
    '-----BEGIN CERTIFICATE-----\n'.repeat(200),
  ],
  async open() {
    return {
      async run(input) {
        const pem = input.toString('utf8');
        const careful = (act: () => unknown) =>
          refusals(() => {
            try {
              act();
            } catch (thrown) {
              if (said(thrown).includes(secret)) throw new Error('the key is told');
              throw thrown;
            }
          });
        await careful(() => {
          readCertificates(pem, 'the CA of lab');
          const address = { fabricName: 'lab', server: 'https://127.0.0.1:1', caPem: pem, tlsServerName: null };
          // What was accepted when it was given is usable when it is needed.
          secureContextFor(address, null);
        });
        await careful(() => assertKeyPair(pem, pem, 'the client certificate'));
        await careful(() => assertKeyPair(certPem, pem, 'the client certificate'));
      },
      async close() {},
    };
  },
};

/** With every cause. */
function said(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.stack}${said(thrown.cause)}` : String(thrown);
}

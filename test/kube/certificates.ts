import {
  createCa,
  issueServerCertificate,
  type KeyedCertificate,
  validFrom,
} from '../../src/demo/fabrics/certificates.ts';

const nowMs = Date.now();

export const ca: KeyedCertificate = createCa('test-ca', nowMs);

export function issued(name: string): KeyedCertificate {
  return issueServerCertificate(ca, { caName: 'test-ca', names: [name], validity: validFrom(nowMs, 1) });
}

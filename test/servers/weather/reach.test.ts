// Fabrics that cannot be reached, that cannot be trusted, or that do not trust us.

import { rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { ListenerDeed } from '../../../src/demo/fabrics/faults.ts';
import { openStation, type Patient, type Station } from './station.ts';
import { endure, type Storm } from './storm.ts';

let station: Station;
beforeAll(async () => {
  station = await openStation();
});
afterAll(() => station.close());

/** As somebody would with psql: past all that the program would refuse or test first. */
const moveTo =
  (url: string) =>
  async (patient: Patient, { sql }: Station) =>
    sql`update fabric set kubernetes_server = ${url} where id = ${patient.id}`;
const moveBack = (patient: Patient) => patient.set('--server', patient.cluster.url);

const renewToken = (text: string) => (patient: Patient) => writeFile(patient.tokenFile, text);
const restoreToken = (patient: Patient) => writeFile(patient.tokenFile, `${patient.cluster.token}\n`);

/** Connections that stand have been trusted already: a certificate is asked for by the next one. */
const show = (which: Extract<ListenerDeed, { does: 'certificate' }>['which']) => async (patient: Patient) => {
  await patient.cluster.faults.set({ does: 'refuse' });
  await patient.cluster.faults.set({ does: 'certificate', which });
};

const storms: readonly Storm[] = [
  {
    what: 'a URL that is no https URL',
    code: 'SETTINGS_INVALID',
    says: /the server URL "http:\/\/127\.0\.0\.1:6443" is not encrypted/,
    advice: 'https://HOST:6443',
    connection: 'error',
    strike: moveTo('http://127.0.0.1:6443'),
    clear: moveBack,
  },
  {
    what: 'a URL where something else answers',
    code: 'NOT_KUBERNETES',
    says: /127\.0\.0\.1:\d+\/elsewhere\): answered 404 to \/apis/,
    advice: 'Check the server URL',
    connection: 'error',
    strike: async (patient, sky) => moveTo(`${patient.cluster.url}/elsewhere`)(patient, sky),
    clear: moveBack,
  },
  {
    what: 'a host name that nobody knows',
    code: 'ADDRESS_UNKNOWN',
    says: /fabric\.invalid:6443\): (the host name|the name server)/,
    advice: 'Check the host name in the server URL, and this host’s DNS',
    connection: 'disconnected',
    strike: moveTo('https://fabric.invalid:6443'),
    clear: moveBack,
  },
  {
    what: 'a port where nobody listens',
    code: 'UNREACHABLE',
    says: /127\.0\.0\.1:\d+\): the connection was refused/,
    advice: 'check address, port 6443 and firewalls',
    connection: 'disconnected',
    strike: ({ cluster }) => cluster.faults.set({ does: 'refuse' }),
  },
  {
    what: 'a host that never speaks',
    code: 'TIMED_OUT',
    says: /the TLS handshake took longer than 1500 ms/,
    advice: 'answers too slowly or not at all',
    connection: 'disconnected',
    strike: async ({ cluster }) => {
      await cluster.faults.set({ does: 'refuse' });
      await cluster.faults.set({ does: 'silent' });
    },
  },
  {
    what: 'a server that never answers',
    code: 'TIMED_OUT',
    says: /did not answer within 2500 ms/,
    advice: 'answers too slowly or not at all',
    connection: 'disconnected',
    strike: ({ cluster }) => cluster.faults.set({ does: 'hang' }),
  },
  {
    what: 'a certificate that has expired',
    code: 'TLS_EXPIRED',
    says: /the certificate has expired/,
    advice: 'renew it there, and check both clocks',
    connection: 'error',
    strike: show('expired'),
  },
  {
    what: 'a certificate that is not valid yet',
    code: 'TLS_EXPIRED',
    says: /the certificate is not valid yet/,
    advice: 'check both clocks',
    connection: 'error',
    strike: show('not_yet_valid'),
  },
  {
    what: 'a certificate of an unknown CA',
    code: 'TLS_UNTRUSTED',
    says: /the certificate .*(CA|signed)/,
    advice: 'fabric-syncd fabric set NAME --ca-file FILE',
    connection: 'error',
    strike: show('unknown_ca'),
  },
  {
    what: 'a certificate for another name',
    code: 'TLS_NAME_MISMATCH',
    says: /the certificate is not for 127\.0\.0\.1; it is for .*control\.elsewhere\.example/,
    advice: 'or: fabric-syncd fabric set NAME --tls-server-name',
    connection: 'error',
    strike: show('other_name'),
  },
  {
    what: 'a token with a line end inside',
    code: 'CREDENTIAL_UNREADABLE',
    says: /the token file .*\.token has a line end inside/,
    advice: 'A token is one line',
    connection: 'error',
    strike: renewToken('canary-first\ncanary-second\n'),
    clear: restoreToken,
  },
  {
    what: 'a token file that is gone',
    code: 'CREDENTIAL_UNREADABLE',
    says: /the token file .*\.token/,
    advice: 'readable',
    connection: 'error',
    strike: ({ tokenFile }) => rm(tokenFile),
    clear: restoreToken,
  },
  {
    what: 'a token that is refused, until its file is renewed',
    code: 'UNAUTHORIZED',
    says: /the credential was refused \(401\)/,
    advice: 'fabric-syncd fabric set NAME --token-file FILE',
    connection: 'error',
    strike: renewToken('canary-of-last-year'),
    clear: restoreToken,
  },
];

describe.concurrent('a fabric with', () => {
  test.each(storms)('$what', (storm) => endure(station, storm));
});

// Credentials while they are in use: refused, renewed, and of both kinds.

import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { FabricFailure } from '../../../machines/fabric/failure.ts';
import { createCa, issueServerCertificate, validFrom } from '../../../src/demo/fabrics/certificates.ts';
import type { Credential } from '../../../src/ports/fabric-api.ts';
import { raw } from '../../support/raw-api.ts';
import { canary, failureOf, first, never, rawFabric, simulated, switches } from './opened.ts';

const groups = raw(200, '{"kind":"APIGroupList","groups":[]}');
const refused = raw(401, '{"kind":"Status","code":401,"message":"Unauthorized"}');

/** Hands out the credentials in turn, the last one for ever. */
function handing(...credentials: readonly Credential[]) {
  const left = [...credentials];
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    async credential(): Promise<Credential> {
      asked += 1;
      const next = left.length > 1 ? left.shift() : left[0];
      if (next === undefined) throw new Error('no credential');
      return next;
    },
  };
}

const token = (text: string): Credential => ({ kind: 'token', token: text });

function clientCertificate(name: string): Credential & { readonly fingerprint: string } {
  const nowMs = Date.now();
  const ca = createCa(name, nowMs);
  const { certPem, keyPem } = issueServerCertificate(ca, {
    caName: name,
    names: [name],
    validity: validFrom(nowMs, 1),
  });
  return { kind: 'client_certificate', certPem, keyPem, fingerprint: new X509Certificate(certPem).fingerprint256 };
}

test('a rotated token is read anew at the first 401, and the request succeeds on the same connection', async () => {
  const source = handing(token('old-token'), token(canary));
  const { server, api } = await rawFabric(
    ({ headers }, socket) => socket.write(headers.authorization === `Bearer ${canary}` ? groups : refused),
    { credential: source.credential },
  );
  await api.groups(never());
  await api.groups(never());
  expect(source.asked).toBe(2);
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer old-token',
    `Bearer ${canary}`,
    `Bearer ${canary}`,
  ]);
  expect(server.connections).toBe(1);
});

test('a token that stays refused is read once more a request, and never in a circle', async () => {
  const source = handing(token(canary));
  const { server, api } = await rawFabric((_request, socket) => socket.write(refused), source);
  const failure = await failureOf(api.page(switches, first, never()), 'UNAUTHORIZED');
  expect(failure.message).toContain('refused (401): Unauthorized');
  expect(server.requests.length).toBe(2);
  expect(source.asked).toBe(2);
});

test('requests that meet the 401 together share one reading of the credential', async () => {
  const source = handing(token('old-token'), token(canary));
  const { server, api } = await rawFabric(
    ({ headers }, socket) => {
      // The refusals are held back until all four are there.
      if (headers.authorization === `Bearer ${canary}`) socket.write(groups);
      else held.push(() => socket.write(refused));
      if (held.length === 4) for (const release of held.splice(0)) release();
    },
    { credential: source.credential },
  );
  const held: (() => void)[] = [];
  await Promise.all([1, 2, 3, 4].map(() => api.groups(never())));
  expect(source.asked).toBe(2);
  expect(server.requests.length).toBe(8);
});

test('a credential that cannot be read is asked for again by the next request', async () => {
  let asked = 0;
  const { fabric, api } = await simulated({
    async credential() {
      asked += 1;
      if (asked === 1) throw new FabricFailure('CREDENTIAL_UNREADABLE', 'the token file /x does not exist');
      return { kind: 'token', token: fabric.token };
    },
  });
  await failureOf(api.groups(never()), 'CREDENTIAL_UNREADABLE');
  expect(fabric.connections.accepted).toBe(0);
  expect((await api.groups(never())).size).toBeGreaterThan(0);
});

test('a token that no header can carry is refused before anything is sent', async () => {
  const { server, api } = await rawFabric((_request, socket) => socket.write(groups), {
    credential: async () => token(`${canary}\nx-injected: 1`),
  });
  const failure = await failureOf(api.groups(never()), 'CREDENTIAL_UNREADABLE');
  expect(failure.message).toContain('line end');
  expect(server.connections).toBe(0);
});

test('a client certificate is shown instead of a token, and a renewed one on connections of its own', async () => {
  const [old, fresh] = [clientCertificate('old'), clientCertificate('fresh')];
  const source = handing(old, fresh);
  const { server, api } = await rawFabric(
    ({ client }, socket) => socket.write(client === fresh.fingerprint ? groups : refused),
    { credential: source.credential },
  );
  await api.groups(never());
  expect(server.requests.map(({ client, headers }) => [client, headers.authorization])).toEqual([
    [old.fingerprint, undefined],
    [fresh.fingerprint, undefined],
  ]);
  expect(server.connections).toBe(2);
});

test('a client certificate that stays refused is shown again on the connection that is there', async () => {
  const source = handing(clientCertificate('only'));
  const { server, api } = await rawFabric((_request, socket) => socket.write(refused), source);
  await failureOf(api.groups(never()), 'UNAUTHORIZED');
  await failureOf(api.groups(never()), 'UNAUTHORIZED');
  expect(server.requests.length).toBe(4);
  expect(server.connections).toBe(1);
});

test('a client certificate with another’s key cannot be used', async () => {
  const [one, other] = [clientCertificate('one'), clientCertificate('other')];
  if (one.kind !== 'client_certificate' || other.kind !== 'client_certificate') throw new Error('unreachable');
  const { api } = await rawFabric((_request, socket) => socket.write(groups), {
    credential: async () => ({ ...one, keyPem: other.keyPem }),
  });
  await failureOf(api.groups(never()), 'CREDENTIAL_UNREADABLE');
});

// Opening fabrics in tests: a canary for a token, and everything closed at the end of each test.

import { afterEach, expect } from 'vitest';
import { FabricFailure, type FailureCode } from '../../../machines/fabric/failure.ts';
import { systemClock } from '../../../src/clock.ts';
import { type SimulatedFabric, startSimulatedFabric } from '../../../src/demo/fabrics/fabric.ts';
import { systemDice } from '../../../src/dice.ts';
import { type OpenFabric, openFabricApi } from '../../../src/kube/api.ts';
import type { KubeLimits } from '../../../src/kube/limits.ts';
import type { OnRequest } from '../../../src/kube/transport.ts';
import type { Credential, FabricApi, ServedKind } from '../../../src/ports/fabric-api.ts';
import { type RawAnswer, type RawApi, startRawApi } from '../../support/raw-api.ts';

export const canary = 'canary-7f3d9a1c5b8e';

/** Roomy: only the test of a limit should meet it. */
export const limits: KubeLimits = {
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  idleTimeoutMs: 10_000,
  bodyBytesMax: 8 * 1024 * 1024,
};

export const switches: ServedKind = {
  group: 'wiring.githedgehog.com',
  version: 'v1beta1',
  kind: 'Switch',
  plural: 'switches',
  namespaced: true,
};

export const first = { namespace: 'default', limit: 500, continueToken: null };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Calls back at the end of this test. */
export function atEnd(close: () => Promise<unknown>): void {
  closing.push(close);
}

export interface Opening {
  readonly url: string;
  readonly caPem?: string | null;
  readonly tlsServerName?: string | null;
  readonly credential?: () => Promise<Credential>;
  readonly limits?: Partial<KubeLimits>;
  readonly onRequest?: OnRequest;
}

export function opened(opening: Opening): OpenFabric {
  const api = openFabricApi(
    {
      fabricName: 'lab',
      server: opening.url,
      caPem: opening.caPem ?? null,
      tlsServerName: opening.tlsServerName ?? null,
    },
    opening.credential ?? (async () => ({ kind: 'token', token: canary })),
    { ...limits, ...opening.limits },
    opening.onRequest,
  );
  atEnd(() => api.close());
  return api;
}

/** A simulated fabric, and the same opened with its own token. */
export async function simulated(more: Partial<Opening> = {}): Promise<{ fabric: SimulatedFabric; api: FabricApi }> {
  const fabric = await startSimulatedFabric({ name: 'lab', shape: 'lab', clock: systemClock, dice: systemDice });
  atEnd(() => fabric.stop());
  const credential = async (): Promise<Credential> => ({ kind: 'token', token: fabric.token });
  return { fabric, api: opened({ url: fabric.url, caPem: fabric.caPem, credential, ...more }) };
}

/** A raw server, and a fabric opened on it. */
export async function rawFabric(
  answer: RawAnswer,
  more: Partial<Opening> = {},
): Promise<{ server: RawApi; api: OpenFabric }> {
  const server = await startRawApi(answer);
  atEnd(() => server.stop());
  return { server, api: opened({ url: server.url, caPem: server.caPem, ...more }) };
}

export const never = (): AbortSignal => new AbortController().signal;

/** The failure that a promise ends with. It has the code asked for, and the canary nowhere in it. */
export async function failureOf(promise: Promise<unknown>, code: FailureCode): Promise<FabricFailure> {
  const thrown = await promise.then(
    (value) => expect.fail(`expected ${code}, not ${JSON.stringify(value)}`),
    (failure: unknown) => failure,
  );
  if (!(thrown instanceof FabricFailure)) throw thrown;
  expect(`${thrown.code}: ${thrown.message}`).toMatch(new RegExp(`^${code}: `));
  expect(everythingIn(thrown)).not.toContain(canary);
  return thrown;
}

/** All that can be reached from a value, own properties that are not enumerable and causes included. */
export function everythingIn(value: unknown, seen = new Set<unknown>()): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (seen.has(value)) return '';
  seen.add(value);
  return Reflect.ownKeys(value)
    .map((key) => `${String(key)}=${everythingIn(Reflect.get(value, key), seen)}`)
    .join('\n');
}

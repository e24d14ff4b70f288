import { describe, expect, test } from 'vitest';
import type { Fault } from '../../../src/demo/fabrics/faults.ts';
import { type ProbeStep, probeFabric } from '../../../src/kube/probe.ts';
import type { FabricAddress } from '../../../src/ports/fabric-api.ts';
import { canary, limits, never, simulated } from './opened.ts';

const kinds = [
  { group: 'wiring.githedgehog.com', kind: 'Switch' },
  { group: 'vpc.githedgehog.com', kind: 'VPC' },
  { group: 'nowhere.example', kind: 'Unheard' },
];

async function probed(
  options: { faults?: readonly Fault[]; address?: Partial<FabricAddress>; token?: string; kinds?: typeof kinds } = {},
) {
  const { fabric } = await simulated();
  for (const fault of options.faults ?? []) await fabric.faults.set(fault);
  const address: FabricAddress = {
    fabricName: 'lab',
    server: fabric.url,
    caPem: fabric.caPem,
    tlsServerName: null,
    ...options.address,
  };
  const steps: ProbeStep[] = [];
  const target = { address, namespace: 'default', kinds: options.kinds ?? kinds };
  const credential = async () => ({ kind: 'token', token: options.token ?? fabric.token }) as const;
  for await (const step of probeFabric(target, credential, { ...limits, connectTimeoutMs: 2_000 }, never())) {
    steps.push(step);
  }
  expect(JSON.stringify(steps)).not.toContain(fabric.token);
  expect(JSON.stringify(steps)).not.toContain(canary);
  return { fabric, steps };
}

const brief = (steps: readonly ProbeStep[]) =>
  steps.map(({ step, ok, failure }) => `${step} ${ok ? 'ok' : (failure?.code ?? 'not ok')}`);

const way = ['address ok', 'dns ok', 'tcp ok', 'tls ok', 'credential ok'];

describe('fabric test', () => {
  test('tells each layer and each kind of a healthy fabric, and what is not served is no fault', async () => {
    const { fabric, steps } = await probed();
    expect(brief(steps)).toEqual([
      ...way,
      'token ok',
      'version ok',
      'identity ok',
      'list Switch ok',
      'list VPC ok',
      'list Unheard ok',
    ]);
    const told = Object.fromEntries(steps.map(({ step, detail }) => [step, detail]));
    expect(told.tls).toMatch(
      /^CN=k3s; for .*IP Address:127\.0\.0\.1.*; issued by CN=k3s-server-ca@lab; valid for \d+ days/,
    );
    expect(told.identity).toBe(fabric.clusterUid);
    expect(told['list Unheard']).toContain('not served');
    expect(fabric.accesses.filter(({ page }) => page > 0).every(({ url }) => url.includes('limit=1'))).toBe(true);
  });

  test('a name is looked up, and says its addresses', async () => {
    const { fabric } = await simulated();
    const { steps } = await probed({ address: { server: `https://localhost:${fabric.port}` } });
    expect(steps.find(({ step }) => step === 'dns')?.detail).toContain('127.0.0.1');
  });

  test.each<[string, Partial<FabricAddress>, readonly Fault[], readonly string[]]>([
    ['a URL without TLS', { server: 'http://127.0.0.1:6443' }, [], ['address SETTINGS_INVALID']],
    ['a CA that is none', { caPem: 'x' }, [], ['address SETTINGS_INVALID']],
    ['an unknown name', { server: 'https://fabric.invalid' }, [], ['address ok', 'dns ADDRESS_UNKNOWN']],
    ['a closed port', {}, [{ does: 'refuse' }], ['address ok', 'dns ok', 'tcp UNREACHABLE']],
    ['a host that says nothing', {}, [{ does: 'silent' }], [...way.slice(0, 3), 'tls TIMED_OUT']],
    [
      'an expired certificate',
      {},
      [{ does: 'certificate', which: 'expired' }],
      [...way.slice(0, 3), 'tls TLS_EXPIRED'],
    ],
    ['an unknown CA', {}, [{ does: 'certificate', which: 'unknown_ca' }], [...way.slice(0, 3), 'tls TLS_UNTRUSTED']],
    ['another name', { tlsServerName: 'control.example' }, [], [...way.slice(0, 3), 'tls TLS_NAME_MISMATCH']],
    ['a refused token', {}, [{ does: 'status', status: 401 }], [...way, 'token UNAUTHORIZED']],
    ['a web page', {}, [{ does: 'html' }], [...way, 'token NOT_KUBERNETES']],
  ])('%s ends it where it stands', async (_what, address, faults, expected) => {
    const { steps } = await probed({ address, faults });
    expect(brief(steps)).toEqual(expected);
    expect(steps.at(-1)?.failure?.hint).not.toBe('');
  });

  test('a certificate that is refused is shown all the same', async () => {
    const { steps } = await probed({ faults: [{ does: 'certificate', which: 'unknown_ca' }] });
    expect(steps.at(-1)?.detail).toMatch(/It shows: CN=k3s;.*; SHA-256 [0-9A-F:]{95}/);
    const { steps: others } = await probed({ faults: [{ does: 'certificate', which: 'other_name' }] });
    expect(others.at(-1)?.detail).toContain('it is for DNS:control.elsewhere.example');
  });

  test('nothing is sent to a server whose certificate is refused', async () => {
    const { fabric } = await probed({ faults: [{ does: 'certificate', which: 'unknown_ca' }] });
    expect(fabric.counts.requests).toBe(0);
  });

  test('a kind without rights fails alone', async () => {
    const { steps } = await probed({ faults: [{ does: 'status', status: 403, where: { kind: 'Switch' } }] });
    expect(brief(steps).slice(-3)).toEqual(['list Switch FORBIDDEN', 'list VPC ok', 'list Unheard ok']);
  });

  test('a cluster that serves none of the kinds is said to be none of ours', async () => {
    const { steps } = await probed({ kinds: kinds.slice(2) });
    expect(brief(steps).slice(-2)).toEqual(['list Unheard ok', 'kinds NO_KINDS_SERVED']);
  });

  test('the caller’s abort ends it with its own reason', async () => {
    const { fabric } = await simulated();
    await fabric.faults.set({ does: 'hang' });
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    const address = { fabricName: 'lab', server: fabric.url, caPem: fabric.caPem, tlsServerName: null };
    const seen: string[] = [];
    const run = async () => {
      const target = { address, namespace: 'default', kinds };
      for await (const { step } of probeFabric(
        target,
        async () => ({ kind: 'token', token: canary }),
        limits,
        stop.signal,
      )) {
        seen.push(step);
        if (step === 'credential') stop.abort(reason);
      }
    };
    await expect(run()).rejects.toBe(reason);
    expect(seen.at(-1)).toBe('credential');
  });
});

// `fabric test`: how far the way to a fabric goes, and which rights the credential has.
//
//   B1. A step that fails ends the probe where the later ones would only repeat its failure.
//   B2. Each step has a deadline; nothing is changed anywhere.

import { X509Certificate } from 'node:crypto';
import { FabricFailure, type FailureNote } from '../../machines/fabric/failure.ts';
import type { Credential, FabricAddress, FabricApi, ServedKind } from '../ports/fabric-api.ts';
import { placeOf, readServerUrl, type ServerUrl } from './address.ts';
import { openFabricApi } from './api.ts';
import type { KubeLimits } from './limits.ts';
import { isAddress, lookAtCertificate, lookUp, reachTcp, type Way } from './look.ts';
import { readCertificates } from './tls.ts';

export interface ProbeStep {
  /** `address`, `dns`, `tcp`, `tls`, `credential`, `token`, `version`, `identity`, then `list <Kind>` for each kind. */
  readonly step: string;
  readonly ok: boolean;
  /** One line for people; no secret. */
  readonly detail: string;
  readonly failure?: FailureNote;
}

export interface ProbeTarget {
  readonly address: FabricAddress;
  readonly namespace: string;
  /** What a sync would list. */
  readonly kinds: readonly {
    readonly group: string;
    readonly kind: string;
    /** Null or absent: `namespace` above. */
    readonly namespace?: string | null;
  }[];
}

/**
 * Yields each step as it ends.
 *
 * @param credential asked when the way is known to be open
 * @throws only the signal's reason
 */
export async function* probeFabric(
  target: ProbeTarget,
  credential: () => Promise<Credential>,
  limits: KubeLimits,
  signal: AbortSignal,
): AsyncGenerator<ProbeStep, void, undefined> {
  /** The step, and what it found where it went well. */
  const attempt = async <Found>(
    step: string,
    act: () => Promise<Found>,
    tell: (found: Found) => string,
  ): Promise<{ step: ProbeStep; found: Found | null }> => {
    try {
      const found = await act();
      return { step: { step, ok: true, detail: tell(found) }, found };
    } catch (thrown) {
      return { step: failedStep(step, thrown, signal), found: null };
    }
  };

  const { address } = target;
  const server = await attempt(
    'address',
    async () => readAddress(address),
    (url) => `${url.href}${address.tlsServerName === null ? '' : `, as ${address.tlsServerName}`}`,
  );
  yield server.step;
  if (server.found === null) return;
  const way: Way = {
    place: placeOf(address.fabricName, server.found),
    server: server.found,
    timeoutMs: limits.connectTimeoutMs,
    signal,
  };
  if (!(yield* probeWay(way, address))) return;

  const opened = await attempt('credential', credential, describeCredential);
  yield opened.step;
  const { found: firstCredential } = opened;
  if (firstCredential === null) return;

  const api = openFabricApi(address, async () => firstCredential, limits);
  try {
    const groups = await attempt(
      'token',
      () => api.groups(signal),
      (found) => `accepted; ${found.size} API groups`,
    );
    yield groups.step;
    if (groups.found === null) return;
    yield (
      await attempt(
        'version',
        () => api.serverVersion(signal),
        (found) => found ?? 'not told',
      )
    ).step;
    yield (
      await attempt(
        'identity',
        () => api.clusterUid(signal),
        (uid) =>
          uid ?? 'namespace kube-system may not be read: another cluster behind this address would not be noticed',
      )
    ).step;
    yield* probeKinds(api, target, groups.found, signal);
  } finally {
    await api.close();
  }
}

/** DNS, TCP, TLS. @returns whether the way is open */
async function* probeWay(way: Way, address: FabricAddress): AsyncGenerator<ProbeStep, boolean, undefined> {
  const { server, signal } = way;
  try {
    const found = isAddress(server) ? null : await lookUp(way);
    yield { step: 'dns', ok: true, detail: found === null ? 'not needed: it is an address' : found.join(', ') };
  } catch (thrown) {
    yield failedStep('dns', thrown, signal);
    return false;
  }
  try {
    yield { step: 'tcp', ok: true, detail: `connected to ${await reachTcp(way)}, port ${server.port}` };
  } catch (thrown) {
    yield failedStep('tcp', thrown, signal);
    return false;
  }
  try {
    const { certificate, failure } = await lookAtCertificate(way, address);
    if (failure === null) {
      yield { step: 'tls', ok: true, detail: certificate };
      return true;
    }
    const refused = failedStep('tls', failure, signal);
    yield { ...refused, detail: `${refused.detail}. It shows: ${certificate}` };
  } catch (thrown) {
    yield failedStep('tls', thrown, signal);
  }
  return false;
}

async function* probeKinds(
  api: FabricApi,
  { kinds, namespace }: ProbeTarget,
  groups: ReadonlyMap<string, readonly string[]>,
  signal: AbortSignal,
): AsyncGenerator<ProbeStep, void, undefined> {
  /** One discovery a group and version; a failed one is not asked again. */
  const discovered = new Map<string, Promise<readonly ServedKind[]>>();
  const find = async (group: string, kind: string): Promise<ServedKind | null> => {
    for (const version of groups.get(group) ?? []) {
      const key = `${group}/${version}`;
      const asked = discovered.get(key) ?? api.kinds(group, version, signal);
      discovered.set(key, asked);
      const served = (await asked).find((each) => each.kind === kind);
      if (served !== undefined) return served;
    }
    return null;
  };
  let servedCount = 0;
  let failures = 0;
  for (const { group, kind, namespace: own } of kinds) {
    const step = `list ${kind}`;
    try {
      const served = await find(group, kind);
      if (served === null) {
        yield { step, ok: true, detail: `not served (${group}): its rows are left alone` };
        continue;
      }
      servedCount += 1;
      const answer = await api.page(served, { namespace: own ?? namespace, limit: 1, continueToken: null }, signal);
      if (answer.kind === 'forbidden') {
        throw new FabricFailure('FORBIDDEN', `${served.plural} of ${group} may not be listed: ${answer.message}`);
      }
      const gone = answer.kind === 'not_served';
      const detail = gone ? 'listed by discovery, but not served' : `${served.plural} ${served.version} may be listed`;
      yield { step, ok: !gone, detail };
    } catch (thrown) {
      failures += 1;
      yield failedStep(step, thrown, signal);
    }
  }
  if (servedCount === 0 && failures === 0 && kinds.length > 0) {
    const failure = new FabricFailure('NO_KINDS_SERVED', 'the API serves none of the kinds of a fabric');
    yield failedStep('kinds', failure, signal);
  }
}

/** A failure as a step; but the caller's own abort is no finding. */
function failedStep(step: string, thrown: unknown, signal: AbortSignal): ProbeStep {
  if (signal.aborted) throw signal.reason;
  const failure = FabricFailure.note(thrown);
  return { step, ok: false, detail: failure.message, failure };
}

function readAddress(address: FabricAddress): ServerUrl {
  const server = readServerUrl(address.server);
  if (address.caPem !== null) readCertificates(address.caPem, `the CA of ${address.fabricName}`);
  return server;
}

function describeCredential(credential: Credential): string {
  if (credential.kind === 'token') return 'a token';
  const { subject, validToDate } = new X509Certificate(credential.certPem);
  return `a client certificate: ${subject.replaceAll('\n', ', ')}, until ${validToDate.toISOString()}`;
}

// One simulated fabric: a cluster with its objects behind a TLS port of its own.
//
//   S1. All that a client needs is `url`, `caPem` and `token`, or `kubeconfig()`.
//   S2. With a state folder, a fabric that is started again is the same one: CA, token, port, uids, resourceVersions.

import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { namespaceUid } from './api.ts';
import {
  createCa,
  expired,
  issueServerCertificate,
  type KeyedCertificate,
  localNames,
  notYetValid,
  validFrom,
} from './certificates.ts';
import { Faults, type ListenerDeed } from './faults.ts';
import { kindsOf, type Profile } from './kinds.ts';
import { type ConnectionCounts, Listener } from './listener.ts';
import { populate } from './shapes/populate.ts';
import type { ShapeName } from './shapes/shape.ts';
import { type Access, Site, type SiteCounts } from './site.ts';
import { ClusterStore } from './store.ts';

export interface FabricOptions {
  /** Names the CA and the context of the kubeconfig, and is the seed unless one is given. */
  readonly name: string;
  readonly shape: ShapeName;
  readonly profile?: Profile;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** The address to listen on; `127.0.0.1` where absent. */
  readonly host?: string;
  /** Names and addresses in the certificate, beside those of this host. */
  readonly names?: readonly string[];
  /** The same seed gives the same uids. */
  readonly seed?: string;
  /** How long a continue token stays good; five minutes where absent. */
  readonly tokenLifeMs?: number;
  readonly clock: Clock;
  readonly onAccess?: (access: Access) => void;
}

export interface SimulatedFabric {
  readonly name: string;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly caPem: string;
  readonly token: string;
  /** Of the namespace `kube-system`: what tells this cluster from another. */
  readonly clusterUid: string;
  readonly store: ClusterStore;
  readonly faults: Faults;
  /** The latest few thousand requests that were answered, oldest first. */
  readonly accesses: readonly Access[];
  readonly counts: SiteCounts;
  readonly connections: ConnectionCounts;
  kubeconfig(): string;
  forgetAccesses(): void;
  /** Closes the port and every connection. Safe to repeat. */
  stop(): Promise<void>;
}

const fabricAgeMs = 41 * 24 * 60 * 60_000;

export async function startSimulatedFabric(options: FabricOptions): Promise<SimulatedFabric> {
  const { name, clock, profile = 'v0.113+', host = '127.0.0.1', seed = name } = options;
  const nowMs = clock.nowMs();
  const createdMs = nowMs - fabricAgeMs;
  const caName = `k3s-server-ca@${name}`;
  const ca = createCa(caName, nowMs);
  const names = [...localNames, ...(options.names ?? [])];
  const good = issueServerCertificate(ca, { caName, names, validity: validFrom(nowMs, 365) });
  const token = `demo-${randomBytes(24).toString('base64url')}`;

  const store = new ClusterStore({
    kinds: kindsOf(profile),
    seed,
    clock,
    ...(options.tokenLifeMs !== undefined && { tokenLifeMs: options.tokenLifeMs }),
  });
  populate(store, options.shape, profile, createdMs);

  const certificateFor = (which: Extract<ListenerDeed, { does: 'certificate' }>['which']): KeyedCertificate => {
    const now = clock.nowMs();
    switch (which) {
      case 'expired':
        return issueServerCertificate(ca, { caName, names, validity: expired(now) });
      case 'not_yet_valid':
        return issueServerCertificate(ca, { caName, names, validity: notYetValid(now) });
      case 'other_name':
        return issueServerCertificate(ca, {
          caName,
          names: ['control.elsewhere.example'],
          validity: validFrom(now, 365),
        });
      case 'unknown_ca': {
        const stranger = createCa('stranger', now);
        return issueServerCertificate(stranger, { caName: 'stranger', names, validity: validFrom(now, 365) });
      }
    }
  };
  let stopped = false;
  const faults = new Faults(async (deed) => {
    if (stopped) return;
    if (deed?.does === 'refuse') return listener.close();
    listener.setSilent(deed?.does === 'silent');
    listener.setCertificate(deed?.does === 'certificate' ? certificateFor(deed.which) : good);
    await listener.open();
  });
  const site = new Site({
    cluster: { store, clock, kubernetesVersion: kubernetesVersions[profile], createdMs },
    faults,
    token,
    ...(options.onAccess && { onAccess: options.onAccess }),
  });
  const listener = new Listener({
    host,
    port: options.port ?? 0,
    certificate: good,
    handle: (request, response) => site.handle(request, response, request.url ?? '/'),
  });
  await listener.open();
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${listener.port}`;

  return {
    name,
    url,
    port: listener.port,
    caPem: ca.certPem,
    token,
    clusterUid: namespaceUid(seed, 'kube-system'),
    store,
    faults,
    get accesses() {
      return site.accesses;
    },
    get counts() {
      return site.counts;
    },
    get connections() {
      return listener.connections;
    },
    kubeconfig: () => kubeconfig({ name, url, caPem: ca.certPem, token }),
    forgetAccesses: () => site.forgetAccesses(),
    async stop() {
      stopped = true;
      await listener.close();
    },
  };
}

const kubernetesVersions: Readonly<Record<Profile, string>> = {
  'v0.112': 'v1.34.1+k3s1',
  'v0.113+': 'v1.36.0+k3s1',
  next: 'v1.36.0+k3s1',
};

/** A kubeconfig with one context, named like the fabric. */
export function kubeconfig(to: { name: string; url: string; caPem: string; token: string }): string {
  const name = JSON.stringify(to.name);
  return `apiVersion: v1
kind: Config
clusters:
- name: ${name}
  cluster:
    server: ${to.url}
    certificate-authority-data: ${Buffer.from(to.caPem).toString('base64')}
users:
- name: ${name}
  user:
    token: ${to.token}
contexts:
- name: ${name}
  context:
    cluster: ${name}
    user: ${name}
    namespace: default
current-context: ${name}
`;
}

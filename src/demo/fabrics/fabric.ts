// One simulated fabric: a cluster with its objects behind a TLS port of its own.
//
//   S1. All that a client needs is `url`, `caPem` and `token`, or `kubeconfig()`.
//   S2. With a state folder, a fabric that is started again is the same one: CA, token, port, uids, resourceVersions.

import { Buffer } from 'node:buffer';
import type { Clock } from '../../clock.ts';
import type { Dice } from '../../dice.ts';
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
import { Editing, type EditRates } from './editing.ts';
import { Edits } from './edits.ts';
import { Faults, type ListenerDeed } from './faults.ts';
import { caNameOf, type Identity, newIdentity, readIdentity, writeIdentity } from './identity.ts';
import { kindsOf, type Profile } from './kinds.ts';
import { type ConnectionCounts, Listener } from './listener.ts';
import { loadManifests, takeOver } from './manifests.ts';
import { keepJournal, restoreObjects } from './object-journal.ts';
import { reviveAgents } from './shapes/agents.ts';
import { populate } from './shapes/populate.ts';
import type { ShapeName } from './shapes/shape.ts';
import { type Access, Site, type SiteCounts } from './site.ts';
import { ClusterStore } from './store.ts';

/** What a fabric holds: a shape, or just the objects of YAML files and folders. */
export type FabricContent = { readonly shape: ShapeName } | { readonly manifests: readonly string[] };

export type FabricOptions = FabricContent & {
  /** Names the CA and the context of the kubeconfig, and is the seed unless one is given. */
  readonly name: string;
  readonly profile?: Profile;
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** The address to listen on; `127.0.0.1` where absent. */
  readonly host?: string;
  /** Names and addresses in the certificate, beside those of this host. */
  readonly names?: readonly string[];
  /** More tokens that are good here, by the name of whom each was given to: the access log says it. */
  readonly clients?: Readonly<Record<string, string>>;
  /** The same seed gives the same uids. */
  readonly seed?: string;
  /** How long a continue token stays good; five minutes where absent. */
  readonly tokenLifeMs?: number;
  /** Keeps changing at these rates; at rest where absent. */
  readonly rates?: EditRates;
  /** What is remembered of this fabric from one start to the next; nothing where absent. */
  readonly stateDir?: string;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly onAccess?: (access: Access) => void;
};

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
  readonly edits: Edits;
  /** What was passed over or looked odd in the manifests, one line each. */
  readonly remarks: readonly string[];
  /** The latest few thousand requests that were answered, oldest first. */
  readonly accesses: readonly Access[];
  readonly counts: SiteCounts;
  readonly connections: ConnectionCounts;
  kubeconfig(): string;
  forgetAccesses(): void;
  /** Ends the edits, closes the port and every connection. Safe to repeat. */
  stop(): Promise<void>;
}

/** @throws ManifestsInvalid; and where the port is taken, unless it is only the remembered one */
export async function startSimulatedFabric(options: FabricOptions): Promise<SimulatedFabric> {
  const { name, clock, dice, profile = 'v0.113+', host = '127.0.0.1', seed = name } = options;
  const remembered = options.stateDir === undefined ? null : await readIdentity(options.stateDir);
  const identity = remembered ?? newIdentity(name, clock.nowMs());
  const { ca, token } = identity;
  const { store, remarks, forget } = await filledStore(options, identity, { profile, seed });

  const names = [...localNames, ...(options.names ?? [])];
  const certificates = certificatesFor(name, ca, names, clock);
  const good = certificates('good');
  const faults = new Faults(async (deed) => {
    if (deed?.does === 'refuse') {
      await listener.close();
      return;
    }
    listener.setSilent(deed?.does === 'silent');
    listener.setCertificate(deed?.does === 'certificate' ? certificates(deed.which) : good);
    await listener.open();
  });
  const site = new Site({
    cluster: { store, clock, kubernetesVersion: kubernetesVersions[profile], createdMs: identity.createdMs },
    faults,
    token,
    ...(options.clients && { clients: options.clients }),
    ...(options.onAccess && { onAccess: options.onAccess }),
  });
  const listener = new Listener({
    host,
    port: options.port ?? identity.port,
    certificate: good,
    handle: (request, response) => site.handle(request, response, request.url ?? '/'),
  });
  const edits = new Edits({ store, clock, dice });
  const editing = options.rates && new Editing({ name, edits, rates: options.rates, clock, dice });
  const stop = async () => {
    await editing?.stop();
    await listener.end();
    forget();
  };
  try {
    await listener.open({ otherwiseAny: options.port === undefined });
    if (options.stateDir !== undefined) await writeIdentity(options.stateDir, { ...identity, port: listener.port });
    await editing?.start();
  } catch (cause) {
    await stop();
    throw cause;
  }
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
    edits,
    remarks,
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
    stop,
  };
}

async function filledStore(
  options: FabricOptions,
  { createdMs }: Identity,
  { profile, seed }: { readonly profile: Profile; readonly seed: string },
): Promise<{ readonly store: ClusterStore; readonly remarks: readonly string[]; readonly forget: () => void }> {
  const { clock, stateDir, tokenLifeMs } = options;
  const store = new ClusterStore({
    kinds: kindsOf(profile),
    seed,
    clock,
    ...(tokenLifeMs !== undefined && { tokenLifeMs }),
  });
  const what = 'shape' in options ? `${options.shape} ${profile}` : `manifests ${profile}`;
  const revive = (from: ClusterStore) => reviveAgents(from, clock.nowMs());
  const restored = stateDir !== undefined && restoreObjects(store, stateDir, what, revive);
  let remarks: readonly string[] = [];
  if ('manifests' in options) remarks = takeOver(store, await loadManifests(options.manifests));
  else if (!restored) populate(store, options.shape, profile, createdMs);
  const journal = stateDir === undefined ? null : keepJournal(store, stateDir, what);
  return { store, remarks, forget: () => journal?.close() };
}

type Which = 'good' | Extract<ListenerDeed, { does: 'certificate' }>['which'];

function certificatesFor(
  name: string,
  ca: KeyedCertificate,
  names: readonly string[],
  clock: Clock,
): (which: Which) => KeyedCertificate {
  const caName = caNameOf(name);
  return (which) => {
    const nowMs = clock.nowMs();
    const validity = validFrom(nowMs, 365);
    switch (which) {
      case 'good':
        return issueServerCertificate(ca, { caName, names, validity });
      case 'expired':
        return issueServerCertificate(ca, { caName, names, validity: expired(nowMs) });
      case 'not_yet_valid':
        return issueServerCertificate(ca, { caName, names, validity: notYetValid(nowMs) });
      case 'other_name':
        return issueServerCertificate(ca, { caName, names: ['control.elsewhere.example'], validity });
      case 'unknown_ca':
        return issueServerCertificate(createCa(caName, nowMs), { caName, names, validity });
    }
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

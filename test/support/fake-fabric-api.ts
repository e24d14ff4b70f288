// A fabric in memory behind the FabricApi port: lists with continue tokens as Kubernetes gives them, and a place to put
// any trouble that an API server can make.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { FabricApi, KubeObject, PageAnswer, ServedKind } from '../../src/ports/fabric-api.ts';

export interface PageRequest {
  readonly kind: string;
  readonly namespace: string;
  readonly limit: number;
  readonly continueToken: string | null;
}

export interface FakeObject {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  spec?: unknown;
  metadata?: Record<string, unknown>;
  status?: unknown;
}

/** What the fabric says instead of the page, or undefined for the page. */
export type Trouble = (
  request: PageRequest,
  signal: AbortSignal,
) => PageAnswer | undefined | Promise<PageAnswer | undefined>;

const servedByDefault: readonly ServedKind[] = [
  served('wiring.githedgehog.com', 'v1beta1', 'Switch', 'switches'),
  served('wiring.githedgehog.com', 'v1beta1', 'Server', 'servers'),
  served('wiring.githedgehog.com', 'v1beta1', 'Connection', 'connections'),
  served('wiring.githedgehog.com', 'v1beta1', 'SwitchGroup', 'switchgroups'),
  served('wiring.githedgehog.com', 'v1beta1', 'VLANNamespace', 'vlannamespaces'),
  served('vpc.githedgehog.com', 'v1beta1', 'VPC', 'vpcs'),
  served('vpc.githedgehog.com', 'v1beta1', 'VPCAttachment', 'vpcattachments'),
  served('vpc.githedgehog.com', 'v1beta1', 'VPCPeering', 'vpcpeerings'),
  served('vpc.githedgehog.com', 'v1beta1', 'External', 'externals'),
  served('vpc.githedgehog.com', 'v1beta1', 'ExternalAttachment', 'externalattachments'),
  served('vpc.githedgehog.com', 'v1beta1', 'ExternalPeering', 'externalpeerings'),
  served('vpc.githedgehog.com', 'v1beta1', 'IPv4Namespace', 'ipv4namespaces'),
  served('gateway.githedgehog.com', 'v1alpha1', 'Gateway', 'gateways'),
  served('gateway.githedgehog.com', 'v1alpha1', 'GatewayGroup', 'gatewaygroups'),
  served('gateway.githedgehog.com', 'v1alpha1', 'GatewayPeering', 'gatewaypeerings'),
];

export function served(group: string, version: string, kind: string, plural: string, namespaced = true): ServedKind {
  return { group, version, kind, plural, namespaced };
}

export class FakeFabric implements FabricApi {
  /** What discovery says, and what can be listed. */
  served: ServedKind[] = [...servedByDefault];
  uid: string | null = 'c1a55e77-0000-4000-8000-000000000001';
  /** Asked before each page. */
  trouble: Trouble = () => undefined;
  /** Asked before each request that is no page: `groups`, `kinds <group>/<version>`, `clusterUid`. */
  troubleElsewhere: (request: string, signal: AbortSignal) => Promise<void> = async () => {};
  /** Every request, in order: `page Switch`, `groups`, … */
  readonly asked: string[] = [];
  readonly pages: PageRequest[] = [];
  pagesInFlight = 0;
  pagesInFlightMax = 0;
  readonly #objects = new Map<string, KubeObject[]>();
  #counter = 100;

  /** Adds or replaces objects of a kind; each gets what a server adds. Returns them as they are served. */
  put(kind: string, ...objects: readonly (string | FakeObject)[]): readonly KubeObject[] {
    const made = objects.map((each) => this.make(kind, typeof each === 'string' ? { name: each } : each));
    for (const object of made) this.putRaw(kind, object);
    return made;
  }

  make(kind: string, object: FakeObject): KubeObject {
    const { group, version } = this.#named(kind);
    const { name, namespace = 'default', spec = { of: name }, status = {}, metadata } = object;
    this.#counter += 1;
    const number = String(this.#counter).padStart(12, '0');
    return {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: {
        creationTimestamp: '2026-01-02T03:04:05Z',
        generation: 1,
        managedFields: [{ manager: 'kubectl', time: '2026-01-02T03:04:05Z' }],
        name,
        namespace,
        resourceVersion: object.resourceVersion ?? String(this.#counter),
        uid: object.uid ?? `00000000-0000-4000-8000-${number}`,
        ...metadata,
      },
      spec,
      status,
    };
  }

  /** Adds an object exactly as it is, or replaces the one of its name. */
  putRaw(kind: string, object: KubeObject): void {
    const name = nameOf(object);
    const others = (this.#objects.get(kind) ?? []).filter((each) => name === null || nameOf(each) !== name);
    this.#objects.set(kind, [...others, object]);
  }

  drop(kind: string, ...names: readonly string[]): void {
    const left = (this.#objects.get(kind) ?? []).filter((each) => !names.includes(nameOf(each) ?? ''));
    this.#objects.set(kind, left);
  }

  /** Changes metadata or content of one object, with a new resourceVersion. */
  edit(kind: string, name: string, change: { metadata?: Record<string, unknown>; spec?: unknown }): void {
    const object = (this.#objects.get(kind) ?? []).find((each) => nameOf(each) === name);
    if (!object) throw new Error(`there is no ${kind} ${name}`);
    this.#counter += 1;
    const metadata = {
      ...(object.metadata as object),
      resourceVersion: String(this.#counter),
      ...change.metadata,
    };
    this.putRaw(kind, { ...object, metadata, ...('spec' in change && { spec: change.spec }) });
  }

  empty(kind: string): void {
    this.#objects.delete(kind);
  }

  unserve(...kinds: readonly string[]): void {
    this.served = this.served.filter(({ kind }) => !kinds.includes(kind));
  }

  async groups(signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    await this.#elsewhere('groups', signal);
    const groups = new Map<string, string[]>();
    for (const { group, version } of this.served) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) groups.set(group, [...versions, version]);
    }
    return groups;
  }

  async kinds(group: string, version: string, signal: AbortSignal): Promise<readonly ServedKind[]> {
    await this.#elsewhere(`kinds ${group}/${version}`, signal);
    return this.served.filter((each) => each.group === group && each.version === version);
  }

  async clusterUid(signal: AbortSignal): Promise<string | null> {
    await this.#elsewhere('clusterUid', signal);
    return this.uid;
  }

  async serverVersion(): Promise<string | null> {
    return 'v1.36.1+k3s1';
  }

  async page(
    kind: ServedKind,
    request: { namespace: string; limit: number; continueToken: string | null },
    signal: AbortSignal,
  ): Promise<PageAnswer> {
    this.asked.push(`page ${kind.kind}`);
    this.pages.push({ kind: kind.kind, ...request });
    this.pagesInFlight += 1;
    this.pagesInFlightMax = Math.max(this.pagesInFlightMax, this.pagesInFlight);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      const trouble = await this.trouble({ kind: kind.kind, ...request }, signal);
      return trouble ?? this.pageOf(kind, request);
    } finally {
      this.pagesInFlight -= 1;
    }
  }

  /** The page as a healthy server gives it. */
  pageOf(kind: ServedKind, request: { limit: number; continueToken: string | null }): PageAnswer {
    if (!this.served.some((each) => each.plural === kind.plural && each.version === kind.version)) {
      return { kind: 'not_served' };
    }
    const all = this.#objects.get(kind.kind) ?? [];
    const from = Number(request.continueToken ?? 0);
    const items = all.slice(from, from + request.limit);
    const next = from + items.length;
    const continueToken = next < all.length ? String(next) : null;
    // Parsed anew, as from the wire: nobody may count on sharing an object with the server.
    const text = JSON.stringify(items);
    return {
      kind: 'page',
      page: { items: JSON.parse(text) as KubeObject[], continueToken, resourceVersion: '1', bytes: text.length },
    };
  }

  async close(): Promise<void> {}

  async #elsewhere(request: string, signal: AbortSignal): Promise<void> {
    this.asked.push(request);
    signal.throwIfAborted();
    await this.troubleElsewhere(request, signal);
  }

  #named(kind: string): ServedKind {
    const found = this.served.find((each) => each.kind === kind) ?? servedByDefault.find((each) => each.kind === kind);
    if (!found) throw new Error(`the fake fabric knows no ${kind}`);
    return found;
  }
}

/** Trouble for one kind: what to say, as often as it is given, then the real pages. */
export function troubleOn(kind: string, ...answers: readonly (PageAnswer | FabricFailure | 'page')[]): Trouble {
  const left = [...answers];
  return (request) => {
    if (request.kind !== kind) return undefined;
    const answer = left.shift();
    if (answer instanceof FabricFailure) throw answer;
    return answer === 'page' ? undefined : answer;
  };
}

/** The same trouble at every page of these kinds. */
export function always(answer: PageAnswer, ...kinds: readonly string[]): Trouble {
  return ({ kind }) => (kinds.length === 0 || kinds.includes(kind) ? answer : undefined);
}

/** Resolves never; rejects with the signal's reason when it aborts. What a host that never answers looks like. */
export function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function nameOf(object: KubeObject): string | null {
  const name = (object.metadata as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' ? name : null;
}

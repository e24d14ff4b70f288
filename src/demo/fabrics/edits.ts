// What changes in a running fabric: the acts of its users and of its controllers, one function each.
//
//   E1. Every act leaves the fabric consistent: nothing refers to what is gone.
//   E2. What acts make is named `edit-…`, and acts delete only what acts made (or recreate it): the shape stays.
//   E3. An act that finds nothing to do does nothing, and says so.

import type { Clock } from '../../clock.ts';
import type { Dice } from '../../dice.ts';
import { at, isJsonObject, type Json, type JsonObject } from './json.ts';
import { agentContent, gatewayAgentContent } from './shapes/agents.ts';
import { type Drafting, drafting } from './shapes/drafting.ts';
import { count, numbered } from './shapes/shape.ts';
import { attachmentDraft, peeringDraft, vpcDraft } from './shapes/vpcs.ts';
import type { ClusterStore } from './store.ts';
import { type StoredObject, timestamp } from './stored-object.ts';

const made = 'edit-';
const madeVpcsMax = 8;
const madeAttachmentsMax = 60;

export class Edits {
  readonly #store: ClusterStore;
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #draft: Drafting;
  #beat = 0;
  #edit = 0;

  constructor(options: { readonly store: ClusterStore; readonly clock: Clock; readonly dice: Dice }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#dice = options.dice;
    this.#draft = drafting((name) => options.store.kind(name));
  }

  /** One of the acts of users, by chance. @returns whether anything was written */
  userEdit(): boolean {
    const acts = [
      () => this.createVpc(),
      () => this.updateVpc(),
      () => this.updateVpc(),
      () => this.deleteVpc(),
      () => this.attach(1) > 0,
      () => this.attach(1) > 0,
      () => this.detach(),
      () => this.peer(),
      () => this.unpeer(),
    ];
    const first = Math.floor(this.#dice.roll() * acts.length);
    return acts.some((_, index) => acts[(first + index) % acts.length]?.() ?? false);
  }

  createVpc(): boolean {
    const taken = new Set(this.#made('VPC').map(({ name }) => name));
    const number = count(madeVpcsMax).find((n) => !taken.has(numbered('edit', n, madeVpcsMax)));
    if (number === undefined) return false;
    const name = numbered('edit', number, madeVpcsMax);
    const subnets = [{ name: 'default', cidr: `10.0.${255 - madeVpcsMax + number}.0/24`, dhcp: true }];
    const vpc = { name, ipv4Namespace: 'default', vlanNamespace: 'default', subnets };
    this.#store.create(vpcDraft(this.#draft, vpc, 480 + number));
    return true;
  }

  /** Turns `isolated` of a VPC's first subnet. */
  updateVpc(): boolean {
    const vpc = this.#anyOf(this.#all('VPC'));
    const subnets = vpc && at(contentOf(vpc), 'spec', 'subnets');
    if (!vpc || !isJsonObject(subnets)) return false;
    const [name] = Object.keys(subnets);
    if (name === undefined) return false;
    const subnet = isJsonObject(subnets[name]) ? subnets[name] : {};
    const changed = { ...subnets, [name]: { ...subnet, isolated: subnet.isolated !== true } };
    this.#respec(vpc, { subnets: changed });
    return true;
  }

  /** Deletes a VPC that acts made, after what refers to it. */
  deleteVpc(): boolean {
    const vpc = this.#anyOf(this.#made('VPC'));
    if (!vpc) return false;
    const refers = ({ name }: StoredObject) => name.split('--').includes(vpc.name);
    for (const kind of ['VPCAttachment', 'VPCPeering']) {
      for (const stored of this.#all(kind).filter(refers)) this.#store.delete(stored);
    }
    this.#store.delete(vpc);
    return true;
  }

  /** Attaches up to so many servers to a VPC that acts made, as when somebody fills a leaf. @returns how many */
  attach(howMany: number): number {
    const attachments = this.#all('VPCAttachment');
    const room = madeAttachmentsMax - this.#made('VPCAttachment').length;
    if (room <= 0 || (this.#made('VPC').length === 0 && !this.createVpc())) return 0;
    const vpc = this.#anyOf(this.#made('VPC'));
    if (!vpc) return 0;
    const attached = new Set(
      attachments.filter(({ name }) => name.startsWith(`${vpc.name}--`)).map(({ name }) => name),
    );
    const free = this.#all('Connection')
      .filter(({ name }) => /--(?:unbundled|bundled|eslag)--/.test(name))
      .map(({ name: connection }) => attachmentDraft(this.#draft, { vpc: vpc.name, subnet: 'default', connection }))
      .filter(({ name }) => !attached.has(name));
    const first = Math.floor(this.#dice.roll() * free.length);
    const chosen = [...free.slice(first), ...free.slice(0, first)].slice(0, Math.min(room, howMany));
    for (const draft of chosen) this.#store.create(draft);
    return chosen.length;
  }

  detach(): boolean {
    return this.#drop(this.#made('VPCAttachment'));
  }

  peer(): boolean {
    const vpc = this.#anyOf(this.#made('VPC'));
    const other = this.#anyOf(this.#all('VPC').filter(({ name }) => !name.startsWith(made)));
    if (!vpc || !other) return false;
    const draft = peeringDraft(this.#draft, vpc.name, other.name);
    if (this.#store.get(draft.kind, draft.namespace, draft.name)) return false;
    this.#store.create(draft);
    return true;
  }

  unpeer(): boolean {
    return this.#drop(this.#made('VPCPeering'));
  }

  /** Writes a label and nothing else: another resourceVersion, the same generation. */
  relabel(): boolean {
    const stored = this.#anyOf([...this.#all('Server'), ...this.#all('VPC')]);
    if (!stored) return false;
    this.#edit += 1;
    this.#store.update(stored, { labels: { 'demo.fabric-syncd/looked-at': String(this.#edit) } });
    return true;
  }

  /** Deletes an object and creates it again under the same name: another uid. */
  recreate(): boolean {
    const stored = this.#anyOf([...this.#all('VPCAttachment'), ...this.#all('VPCPeering')]);
    if (!stored) return false;
    this.#store.delete(stored);
    this.#store.create(stored);
    return true;
  }

  /** Changes the description of so many servers. @returns how many there were */
  describeServers(howMany: number): number {
    this.#edit += 1;
    const servers = this.#all('Server');
    const step = Math.max(1, Math.floor(servers.length / howMany));
    const chosen = servers.filter((_, index) => index % step === 0).slice(0, howMany);
    for (const server of chosen) this.#respec(server, { description: `described anew, ${this.#edit}` });
    return chosen.length;
  }

  /** What an upgrade does: every object is written again with what it holds. @returns how many */
  refreshAll(): number {
    const everything = [...this.#store.everything()];
    const topology = this.#store.serves('Fabric') ? { topology: { fabric: 'default' } } : null;
    for (const stored of everything) {
      if (topology && stored.kind.role === 'user') this.#respec(stored, topology);
      else this.#store.update(stored, {});
    }
    return everything.length;
  }

  /** The next agent reports. @returns false where there is none */
  heartbeat(): boolean {
    const agents = [...this.#all('Agent'), ...this.#all('GatewayAgent')];
    const agent = agents[this.#beat % Math.max(1, agents.length)];
    if (!agent) return false;
    this.#beat += 1;
    const of = agent.kind.kind === 'Agent' ? 'Switch' : 'Gateway';
    const described = this.#store.get(this.#store.kind(of), agent.namespace, agent.name);
    if (!described) return false;
    const heartbeat = { atMs: this.#clock.nowMs(), beat: Math.floor(this.#beat / agents.length) };
    const content = of === 'Switch' ? agentContent(described, heartbeat) : gatewayAgentContent(described, heartbeat);
    this.#store.update(agent, { content });
    return true;
  }

  get agents(): number {
    return this.#all('Agent').length + this.#all('GatewayAgent').length;
  }

  /** A server gets an address. */
  lease(): boolean {
    const subnet = this.#anyOf(this.#all('DHCPSubnet'));
    if (!subnet) return false;
    const roll = Math.floor(this.#dice.roll() * 100);
    const content = contentOf(subnet);
    const allocated = at(content, 'status', 'allocated');
    const stem = String(at(content, 'spec', 'startIP') ?? '10.0.0.10')
      .split('.')
      .slice(0, 3)
      .join('.');
    const lease = {
      expiry: timestamp(this.#clock.nowMs() + 3_600_000),
      hostname: `host-${roll}`,
      ip: `${stem}.${10 + roll}`,
    };
    const leases = {
      ...(isJsonObject(allocated) && allocated),
      [`0c:20:12:fe:00:${roll.toString(16).padStart(2, '0')}`]: lease,
    };
    this.#store.update(subnet, { content: { ...content, status: { allocated: leases } } });
    return true;
  }

  #respec(stored: StoredObject, change: Readonly<Record<string, Json>>): void {
    const content = contentOf(stored);
    const spec = isJsonObject(content.spec) ? content.spec : {};
    this.#store.update(stored, { content: { ...content, spec: { ...spec, ...change } } });
  }

  #drop(of: readonly StoredObject[]): boolean {
    const stored = this.#anyOf(of);
    if (!stored) return false;
    this.#store.delete(stored);
    return true;
  }

  #all(kind: string): readonly StoredObject[] {
    return this.#store.all(this.#store.kind(kind));
  }

  #made(kind: string): readonly StoredObject[] {
    return this.#all(kind).filter(({ name }) => name.startsWith(made));
  }

  #anyOf(of: readonly StoredObject[]): StoredObject | null {
    return of[Math.floor(this.#dice.roll() * of.length)] ?? null;
  }
}

const contentOf = ({ content }: StoredObject): JsonObject => (typeof content === 'function' ? content() : content);

// The objects that a running fabric writes about itself over and over: one Agent a switch, one GatewayAgent a gateway.
// They are large, and made anew each time somebody reads them. The agents' specs hold password hashes, as real ones do.

import { at, isJsonObject, type JsonObject } from '../json.ts';
import type { ClusterStore } from '../store.ts';
import { type Draft, timestamp, uuidOf } from '../stored-object.ts';
import type { Drafting } from './drafting.ts';
import { count } from './shape.ts';
import { portsOf } from './switch-profiles.ts';

const agentVersion = 'v0.129.0';

export interface Heartbeat {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Counts up; the counters follow it. */
  readonly beat: number;
}

/** @param switchDraft the switch whose agent it is */
export function agentDraft(draft: Drafting, switchDraft: Draft, heartbeat: Heartbeat): Draft {
  return { ...draft('Agent', switchDraft.name, {}), content: agentContent(switchDraft, heartbeat) };
}

/** What an agent reports: 30 to 400 KB of JSON, by the ports of the switch. */
export function agentContent(switchDraft: Draft, heartbeat: Heartbeat): () => JsonObject {
  const content = typeof switchDraft.content === 'function' ? switchDraft.content() : switchDraft.content;
  const spec = isJsonObject(content.spec) ? content.spec : {};
  return () => ({
    spec: {
      config: { baseVPCCommunity: '50000:0' },
      description: spec.description,
      role: spec.role,
      switch: spec,
      switches: { [switchDraft.name]: spec },
      users: [
        {
          name: 'admin',
          password: '$5$demo$0123456789abcdefABCDEF./0123456789abcdefABCDEF.',
          role: 'admin',
          sshKeys: ['ssh-ed25519 AAAAdemo admin'],
        },
      ],
      version: { default: agentVersion, password: 'registry-demo-password', username: 'switch' },
    },
    status: agentStatus(switchDraft.name, spec, heartbeat),
  });
}

function agentStatus(name: string, spec: JsonObject, { atMs, beat }: Heartbeat): JsonObject {
  const now = timestamp(atMs);
  const ports = portsOf(typeof spec.profile === 'string' ? spec.profile : '');
  const interfaces: Record<string, JsonObject> = {};
  const transceivers: Record<string, JsonObject> = {};
  for (const n of count(ports)) {
    const port = `E1/${n}`;
    const mode = at(spec, 'portBreakouts', port);
    const lanes = typeof mode === 'string' ? Number(mode[0]) : 1;
    for (const lane of count(lanes)) {
      interfaces[lanes === 1 ? port : `${port}/${lane}`] = interfaceState(n * 8 + lane, beat, now);
    }
    transceivers[port] = transceiver(n);
  }
  return {
    bootID: uuidOf('boot', name),
    conditions: [
      {
        lastTransitionTime: now,
        message: 'Config applied, gen=1',
        reason: 'ApplySucceeded',
        status: 'True',
        type: 'Applied',
      },
    ],
    installID: uuidOf('install', name),
    lastAppliedGen: 1,
    lastAppliedTime: now,
    lastAttemptGen: 1,
    lastAttemptTime: now,
    lastHeartbeat: now,
    runID: uuidOf('run', name),
    state: {
      bgpNeighbors: {},
      interfaces,
      nos: {
        hwskuVersion: spec.profile,
        serialNumber: at(spec, 'boot', 'serial'),
        softwareVersion: '4.5.0-Enterprise_Base',
      },
      platform: { fans: {}, psus: {}, temps: {} },
      roce: false,
      transceivers,
    },
    version: agentVersion,
  };
}

/** Of unicast and multicast queues, as the switch counts them. */
const queueNames = ['CPU', ...count(8).map((n) => `UC${n - 1}`), ...count(8).map((n) => `MC${n - 1}`)];

function interfaceState(seed: number, beat: number, now: string): JsonObject {
  const grown = (factor: number) => seed * factor * (beat + 1);
  const queue = (index: number): JsonObject => ({
    b: grown(7919 + index),
    bps: (seed * 31 + index) % 9973,
    db: 0,
    dp: 0,
    ecnb: 0,
    ecnp: 0,
    p: grown(13 + index),
    pps: (seed * 7 + index) % 997,
    wreddp: 0,
  });
  return {
    admin: 'up',
    auto: false,
    change: now,
    counters: {
      clear: now,
      inb: grown(104_729),
      inbps: (seed * 37) % 9973,
      ind: 0,
      ine: 0,
      inu: grown(101),
      outb: grown(98_689),
      outbps: (seed * 41) % 9973,
      outd: 0,
      oute: 0,
      outu: grown(97),
      queues: Object.fromEntries(queueNames.map((name, index) => [name, queue(index)])),
    },
    enabled: true,
    fec: 'RS',
    lldpNeighbors: [{ chassis: '0c:20:12:fe:00:00', portID: `E1/${seed % 64}`, sysName: `neighbour-${seed}` }],
    mac: '0c:20:12:ff:00:00',
    oper: 'up',
    speed: '100G',
  };
}

function transceiver(n: number): JsonObject {
  const channel = (lane: number): JsonObject => ({ bias: 6.5 + lane / 10, in: -1.5, out: -0.5 });
  return {
    cable: 'DAC',
    channels: Object.fromEntries(count(8).map((lane) => [`CH${lane}`, channel(lane)])),
    connType: 'NO_SEPARABLE_CONNECTOR',
    formFactor: 'QSFP28',
    length: 3,
    oper: 'OK',
    present: 'PRESENT',
    serial: `XCVR${n}`,
    temp: 40 + (n % 9),
    vendor: 'demo',
    voltage: 3.3,
  };
}

export function gatewayAgentDraft(draft: Drafting, gatewayDraft: Draft, heartbeat: Heartbeat): Draft {
  return { ...draft('GatewayAgent', gatewayDraft.name, {}), content: gatewayAgentContent(gatewayDraft, heartbeat) };
}

export function gatewayAgentContent(gatewayDraft: Draft, { atMs, beat }: Heartbeat): () => JsonObject {
  const content = typeof gatewayDraft.content === 'function' ? gatewayDraft.content() : gatewayDraft.content;
  const now = timestamp(atMs);
  return () => ({
    spec: { agentVersion, gateway: content.spec },
    status: {
      agentVersion,
      lastAppliedGen: 1,
      lastAppliedTime: now,
      lastHeartbeat: now,
      state: {
        dataplane: { version: 'v0.20.0' },
        frr: { lastAppliedGen: 1 },
        lastCollectedTime: now,
        peerings: {},
        vpcs: { total: { b: beat, d: 0, p: beat } },
      },
    },
  });
}

/** Makes the reports of agents anew, for objects that were remembered without them. */
export function reviveAgents(
  store: ClusterStore,
  nowMs: number,
): (kind: string, name: string) => (() => JsonObject) | null {
  const heartbeat = { atMs: nowMs, beat: 0 };
  return (kind, name) => {
    const of = kind === 'Agent' ? 'Switch' : kind === 'GatewayAgent' ? 'Gateway' : null;
    const described = of && store.get(store.kind(of), 'default', name);
    if (!described) return null;
    return kind === 'Agent' ? agentContent(described, heartbeat) : gatewayAgentContent(described, heartbeat);
  };
}

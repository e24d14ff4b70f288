// What Hedgehog objects say about each other: names that must exist, and ports that one cable may use.

import { isJsonObject, type JsonObject } from '../../src/demo/fabrics/json.ts';

export interface Problems {
  /** `VPCAttachment a: Connection b` */
  readonly dangling: readonly string[];
  readonly portsUsedTwice: readonly string[];
}

interface Anything {
  readonly [key: string]: Anything & string & readonly Anything[];
}

/** @param objects the whole fabric */
export function referencesOf(objects: readonly JsonObject[]): Problems {
  const all = objects as unknown as readonly Anything[];
  const there = new Set(all.map(({ kind, metadata }) => `${kind} ${metadata?.name}`));
  const subnets = new Set(
    all
      .filter(({ kind }) => String(kind) === 'VPC')
      .flatMap(({ metadata, spec }) => Object.keys(spec?.subnets ?? {}).map((name) => `${metadata?.name}/${name}`)),
  );
  const dangling: string[] = [];
  const ports = new Map<string, number>();
  for (const object of all) {
    const name = `${object.kind} ${object.metadata?.name}`;
    const needs = (kind: string, ...names: readonly unknown[]) => {
      for (const one of names)
        if (one !== undefined && !there.has(`${kind} ${one}`)) dangling.push(`${name}: ${kind} ${one}`);
    };
    const spec = (object.spec ?? {}) as Anything;
    switch (String(object.kind)) {
      case 'Switch':
        needs('SwitchProfile', ...(there.has('SwitchProfile vs') ? [spec.profile] : []));
        needs('SwitchGroup', ...((spec.groups ?? []) as unknown[]), spec.redundancy?.group);
        needs('VLANNamespace', ...((spec.vlanNamespaces ?? []) as unknown[]));
        break;
      case 'Connection':
        for (const port of portsIn(spec)) {
          const device = port.split('/')[0];
          if (!['Switch', 'Server', 'Gateway'].some((kind) => there.has(`${kind} ${device}`)))
            dangling.push(`${name}: ${port}`);
          ports.set(port, (ports.get(port) ?? 0) + 1);
        }
        break;
      case 'VPC':
        needs('IPv4Namespace', spec.ipv4Namespace);
        needs('VLANNamespace', spec.vlanNamespace);
        break;
      case 'VPCAttachment':
        needs('Connection', spec.connection);
        if (!subnets.has(String(spec.subnet))) dangling.push(`${name}: subnet ${spec.subnet}`);
        break;
      case 'VPCPeering':
        needs('VPC', ...Object.keys((spec.permit as readonly Anything[])[0] ?? {}));
        break;
      case 'External':
        needs('IPv4Namespace', spec.ipv4Namespace);
        break;
      case 'ExternalAttachment':
        needs('External', spec.external);
        needs('Connection', spec.connection);
        break;
      case 'ExternalPeering':
        needs('VPC', spec.permit?.vpc?.name);
        needs('External', spec.permit?.external?.name);
        break;
      case 'Gateway':
        needs('GatewayGroup', ...(spec.groups as readonly Anything[]).map((group) => group.name));
        break;
      case 'GatewayPeering':
      case 'Peering':
        needs('GatewayGroup', spec.gatewayGroup);
        needs('VPCInfo', ...Object.keys(spec.peering ?? {}));
        break;
      case 'Agent':
      case 'GatewayAgent':
        needs(String(object.kind) === 'Agent' ? 'Switch' : 'Gateway', object.metadata?.name);
        break;
    }
  }
  return { dangling, portsUsedTwice: [...ports].filter(([, times]) => times > 1).map(([port]) => port) };
}

function portsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(portsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, field]) =>
    key === 'port' && typeof field === 'string' ? [field] : portsIn(field),
  );
}

// Fills an empty cluster with a shape.

import type { Profile } from '../kinds.ts';
import type { ClusterStore } from '../store.ts';
import type { Draft } from '../stored-object.ts';
import { agentDraft, gatewayAgentDraft } from './agents.ts';
import { type Drafting, drafting } from './drafting.ts';
import { gateways } from './gateways.ts';
import { internals } from './internals.ts';
import { lab2025 } from './lab-2025.ts';
import { platform } from './platform.ts';
import { type Shape, type ShapeName, shapes } from './shape.ts';
import { switchProfiles } from './switch-profiles.ts';
import { network } from './vpcs.ts';
import { wire } from './wiring.ts';

/**
 * Creates every object of the shape, in the order in which an installation would: the same shape, profile and seed give
 * the same names, uids and resourceVersions.
 *
 * @param createdMs epoch milliseconds: the age of the objects
 */
export function populate(store: ClusterStore, shapeName: ShapeName, profile: Profile, createdMs: number): void {
  const draft = drafting((name) => store.kind(name));
  const all = shapeName === 'lab-2025' ? lab2025(draft) : drafts(shapes[shapeName], profile, createdMs, draft);
  for (const one of all) store.create(one, createdMs);
}

function drafts(shape: Shape, profile: Profile, createdMs: number, draft: Drafting): Draft[] {
  const wiring = wire(shape, draft);
  const networks = network(shape, wiring, draft);
  const atGateways = gateways(shape, networks, profile, draft);
  const user = [...wiring.drafts, ...networks.drafts, ...atGateways];
  if (!shape.controllers) return user;
  const heartbeat = { atMs: createdMs, beat: 0 };
  const of = (kind: string) => user.filter((one) => one.kind.kind === kind);
  return [
    ...platform(shape, profile, createdMs, draft),
    ...switchProfiles(shape.switchProfiles, draft),
    ...user,
    ...internals(wiring, networks, draft),
    ...of('Switch').map((one) => agentDraft(draft, one, heartbeat)),
    ...of('Gateway').map((one) => gatewayAgentDraft(draft, one, heartbeat)),
  ];
}

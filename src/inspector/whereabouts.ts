// Where a fabric's actor in this daemon is, put beside what its rows say.
//
//   W1. Pure. The rows were read a moment ago, and the actor is where it is: of a run of this daemon's own the actor is
//       right. Of a run of another daemon only the rows know.

import { top } from '../../otel/transitions.ts';
import { formatIso } from '../clock.ts';
import type { FleetMember } from '../fleet/fleet.ts';
import type { FleetFabric } from './documents.ts';
import type { FabricView } from './view.ts';

type Whereabouts = Pick<FleetFabric, 'path' | 'since' | 'waits_for_slot'>;

export interface Here {
  /** The daemon's own name. */
  readonly daemon: string;
  /** Null: it has no actor here (yet). */
  readonly member: Pick<FleetMember, 'path' | 'since'> | null;
  readonly waits: boolean;
}

export function placed<View extends FabricView>(view: View, { daemon, member, waits }: Here): View & Whereabouts {
  const where = { path: member?.path ?? null, since: member ? formatIso(member.since) : null, waits_for_slot: waits };
  return { ...view, ...where, ...(member && movedOn(view, member.path, daemon)) };
}

/** What the rows do not say yet. */
function movedOn({ state, run }: FabricView, path: string, daemon: string): Partial<FabricView> {
  const here = top(path) as FabricView['state'];
  if (here === 'syncing') return { state: here, sync_status: 'syncing' };
  const isOver = state === 'syncing' && run?.daemon === daemon;
  return here === 'locked' || isOver ? { state: here } : {};
}

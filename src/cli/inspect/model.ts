// What the terminal knows of the fleet, kept up by the stream.

import type {
  FabricDocument,
  FleetDocument,
  FleetFabric,
  PartsDocument,
  ProgressMessage,
  TransitionMessage,
} from '../../inspector/documents.ts';
import type { StreamEvent } from './feed.ts';

export interface Model {
  /** Null until the first snapshot. */
  fleet: FleetDocument | null;
  parts: PartsDocument | null;
  readonly fabrics: Map<string, FleetFabric>;
  /** The newest last, of every fabric that is told: what the fleet's screen shows at its foot. */
  readonly transitions: TransitionMessage[];
  /** kind -> the last word on it, of the run in hand of the fabric that is open. */
  progress: { run: string; readonly kinds: Map<string, ProgressMessage> } | null;
  /** The document of the fabric that is open; null while there is none yet. */
  opened: FabricDocument | null;
  /** The name of the fabric that was open, where it was removed meanwhile: what is known of it is not so any more. */
  removed: string | null;
  /** How far the daemon's clock is ahead of ours, in milliseconds. */
  aheadMs: number;
  /** Since when the daemon tells nothing, by our clock, and why; null while it does. `refused`: it answered that it cannot. */
  lost: { readonly sinceMs: number; readonly why: string; readonly refused?: boolean } | null;
}

const transitionsMax = 200;

export function emptyModel(): Model {
  return {
    fleet: null,
    parts: null,
    fabrics: new Map(),
    transitions: [],
    progress: null,
    opened: null,
    removed: null,
    aheadMs: 0,
    lost: null,
  };
}

/** @param nowMs by our clock, when the message came */
export function take(model: Model, { event, data }: StreamEvent, nowMs: number): void {
  switch (event) {
    case 'snapshot':
      model.fleet = data;
      model.parts = data.parts;
      model.aheadMs = Date.parse(data.at) - nowMs;
      model.lost = null;
      model.fabrics.clear();
      for (const fabric of data.fabrics) model.fabrics.set(fabric.id, fabric);
      break;
    case 'fabric':
      model.fabrics.set(data.id, data);
      break;
    case 'gone':
      model.fabrics.delete(data.id);
      if (model.opened?.fabric.id === data.id) model.removed = data.name;
      break;
    case 'parts':
      model.parts = data;
      break;
    case 'transition': {
      const known = model.fabrics.get(data.fabric_id);
      // The rows follow a moment later, in a `fabric` of their own.
      if (known) model.fabrics.set(known.id, { ...known, state: data.state, path: data.to, since: data.at });
      model.transitions.push(data);
      if (model.transitions.length > transitionsMax) model.transitions.shift();
      break;
    }
    case 'progress':
      if (model.progress?.run !== data.run) model.progress = { run: data.run, kinds: new Map() };
      model.progress.kinds.set(data.kind, data);
      break;
    case 'run':
      break;
  }
}

/** A fabric with what time alone changes as of now; the stream tells facts, not the passing of time. */
export function asOf(fabric: FleetFabric, nowMs: number): FleetFabric {
  const running = fabric.state === 'locked' || fabric.state === 'syncing';
  return {
    ...fabric,
    due_in_ms: fabric.due_at === null || running ? null : Date.parse(fabric.due_at) - nowMs,
    age_ms: fabric.last_sync === null || running ? fabric.age_ms : Math.max(0, nowMs - Date.parse(fabric.last_sync)),
  };
}

// What time alone changes in a view: lengths that grow and shrink by themselves.

import type { FleetFabric } from './documents.ts';

/** The view as it is `ms` after it was made, where nothing else has changed. */
export function aged(view: FleetFabric, ms: number): FleetFabric {
  const passedMs = Math.round(ms);
  const later = (length: number | null) => (length === null ? null : length + passedMs);
  return {
    ...view,
    due_in_ms: view.due_in_ms === null ? null : view.due_in_ms - passedMs,
    age_ms: later(view.age_ms),
    run: view.run && { ...view.run, duration_ms: later(view.run.duration_ms) },
  };
}

/** The view without what time alone changes, as text: two that are equal say the same. */
export function timeless(view: FleetFabric): string {
  return JSON.stringify({ ...view, due_in_ms: 0, age_ms: 0, run: view.run && { ...view.run, duration_ms: 0 } });
}

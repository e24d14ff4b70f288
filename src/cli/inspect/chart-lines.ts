// The statechart as text, read off the machine's definition, with the present state marked.
//
//   ○ idle
//   ● scheduled  arming · [waiting]        for 12s
//   ○ locked     acquiring · claiming · returning
//   …
//   TIMER_DUE → locked · SYNC_REQUESTED → locked · PLAN → idle, scheduled, backoff, errored

import { top } from '../../../otel/transitions.ts';
import type { MachineDocument } from '../../inspector/documents.ts';
import type { Paint } from '../colours.ts';
import { limit } from '../status-text.ts';

export interface ChartNow {
  /** Such as `scheduled.waiting`; null where the daemon has no actor for it. */
  readonly path: string | null;
  /** The outermost state that it came from, where that is known. */
  readonly from: string | null;
  /** How long it is there, in words; empty where that is not known. */
  readonly since: string;
}

export function chartLines(
  machine: MachineDocument,
  now: ChartNow,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  const outer = machine.states.filter((state) => state.parent === null);
  const column = Math.max(...outer.map(({ path }) => path.length)) + 2;
  const present = now.path === null ? null : top(now.path);
  const lines = outer.map(({ path }) => {
    const inner = machine.states.filter(({ parent }) => parent === path);
    const names = inner.map((state) => (state.path === now.path ? `[${state.name}]` : state.name)).join(' · ');
    const mark = path === present ? '●' : path === now.from ? '◌' : '○';
    const note =
      path === present && now.since !== '' ? `  for ${now.since}` : path === now.from ? '  came from here' : '';
    const line = `  ${mark} ${path.padEnd(column)}${names}${note}`.trimEnd().slice(0, width);
    return paint(path === present ? 'cyan' : 'dim', line);
  });
  const description = machine.states.find(({ path }) => path === present)?.description ?? '';
  return [
    ...lines,
    ...(description === '' ? [] : limit(`  ${description}`, width)),
    ...(now.path === null ? [] : limit(`  ${waysOut(machine, now.path)}`, width)),
  ];
}

/** Each event that leaves the present state, with where it may lead. */
function waysOut(machine: MachineDocument, path: string): string {
  const outer = top(path);
  const ways = new Map<string, Set<string>>();
  for (const { from, to, label } of machine.transitions) {
    if ((from !== path && from !== outer) || to === null) continue;
    const name = label === '' ? 'at once' : label;
    const targets = ways.get(name) ?? new Set();
    // From inside one state to inside the same one: only there the inner name tells something.
    targets.add(from !== outer && top(to) === outer ? to : top(to));
    ways.set(name, targets);
  }
  if (ways.size === 0) return 'nothing leaves it but what it does itself';
  return [...ways].map(([label, targets]) => `${label} → ${[...targets].join(' or ')}`).join(' · ');
}

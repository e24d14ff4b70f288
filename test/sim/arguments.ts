// The options of `npm run sim`. What cannot be read is refused: a search that was asked for otherwise than it ran would say
// that all held where nobody looked.

import { parseArgs } from 'node:util';
import { parseDuration } from '../../src/duration.ts';
import type { Cut } from './cut.ts';

export const usage = `npm run sim -- [options]

  --seed N         replay one seed, with its history
  --seeds A..B     every seed from A to B
  --for 10m        new seeds for that long (1m where nothing is given)
  --threads N      how many at once (every core)
  --json           one JSON document instead of lines
  --lines N        of a history, the newest (60)

Of a replay, to leave things out: --events 3,7 (or none), --daemons N, --fabrics 1,2, --storm MILLISECONDS
`;

const options = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  for: { type: 'string' },
  threads: { type: 'string' },
  json: { type: 'boolean', default: false },
  lines: { type: 'string', default: '60' },
  events: { type: 'string' },
  daemons: { type: 'string' },
  fabrics: { type: 'string' },
  storm: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export type Wish =
  | { readonly what: 'help' }
  | { readonly what: 'replay'; readonly seed: number; readonly cut: Cut }
  | { readonly what: 'range'; readonly from: number; readonly to: number }
  | { readonly what: 'search'; readonly forMs: number };

export interface Arguments {
  readonly wish: Wish;
  /** Null: every core. */
  readonly threads: number | null;
  readonly json: boolean;
  readonly lines: number;
}

/** @throws Error that says which option cannot be read */
export function readArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({ args: [...args], options });
  const wishes = [values.seed, values.seeds, values.for].filter((value) => value !== undefined);
  if (wishes.length > 1) throw new Error('--seed, --seeds and --for are three things to do: give one of them');
  const cut = cutOf(values);
  const isCut = Object.values(cut).some((part) => part !== null);
  if (isCut && values.seed === undefined) throw new Error('only a replay (--seed) can leave things out');
  return {
    wish: values.help ? { what: 'help' } : wishOf(values, cut),
    threads: values.threads === undefined ? null : whole('threads', values.threads, 1),
    json: values.json,
    lines: whole('lines', values.lines, 1),
  };
}

interface WishValues {
  readonly seed?: string | undefined;
  readonly seeds?: string | undefined;
  readonly for?: string | undefined;
}

function wishOf({ seed, seeds, for: time }: WishValues, cut: Cut): Wish {
  if (seed !== undefined) return { what: 'replay', seed: whole('seed', seed), cut };
  if (seeds === undefined) return { what: 'search', forMs: parseDuration(time ?? '1m') };
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(seeds) ?? [];
  if (from === undefined || to === undefined) throw new Error(`--seeds ${seeds}: write it as 1..100`);
  const range = { from: whole('seeds', from), to: whole('seeds', to) };
  if (range.from > range.to) throw new Error(`--seeds ${seeds}: the first is larger than the last`);
  return { what: 'range', ...range };
}

interface CutValues {
  readonly events?: string | undefined;
  readonly daemons?: string | undefined;
  readonly fabrics?: string | undefined;
  readonly storm?: string | undefined;
}

function cutOf({ events, daemons, fabrics, storm }: CutValues): Cut {
  const list = (text: string) => (text === 'none' ? [] : text.split(','));
  return {
    events: events === undefined ? null : list(events).map((event) => whole('events', event)),
    daemons: daemons === undefined ? null : whole('daemons', daemons, 1),
    fabrics: fabrics === undefined ? null : list(fabrics),
    stormMs: storm === undefined ? null : whole('storm', storm),
  };
}

/** A whole number that JavaScript can tell from its neighbours. */
function whole(option: string, text: string, least = 0): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${option} ${text}: a whole number from ${least} on is needed`);
}

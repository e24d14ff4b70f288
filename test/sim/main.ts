// `npm run sim`: searches for a seed under which something does not hold, or replays one.
//
//   M1. It ends with 0 where everything held, with 1 where something did not, and with 2 where it was asked wrongly.
//   M2. A seed that fails is told with the shortest history that was found and the command that replays it.

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { parseDuration } from '../../src/duration.ts';
import { type Cut, cutOptions, cutScenario } from './cut.ts';
import { scenarioOf } from './scenario.ts';
import { type Found, search } from './search.ts';
import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulate.ts';

const usage = `npm run sim -- [options]

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

/** What all seeds came to. */
class Sums {
  seeds = 0;
  simulatedMs = 0;
  steps = 0;
  runs = 0;
  commits = 0;
  slips = 0;
  readonly faults: Record<string, number> = {};
  readonly failures: Found[] = [];

  add(found: Found): void {
    this.seeds++;
    this.simulatedMs += found.simulatedMs;
    this.steps += found.steps;
    this.runs += found.runs;
    this.commits += found.commits;
    this.slips += found.slips;
    for (const [kind, count] of Object.entries(found.faults)) this.faults[kind] = (this.faults[kind] ?? 0) + count;
    if (found.violation !== null) this.failures.push(found);
  }

  document(tookMs: number) {
    const faults = Object.fromEntries(Object.entries(this.faults).sort(([a], [b]) => (a < b ? -1 : 1)));
    return {
      seeds: this.seeds,
      simulated_hours: round(this.simulatedMs / 3_600_000),
      steps: this.steps,
      runs: this.runs,
      commits: this.commits,
      lock_slips: this.slips,
      took_s: round(tookMs / 1_000),
      seeds_per_s: round(this.seeds / (tookMs / 1_000)),
      faults,
      failures: this.failures.map(({ seed, violation }) => ({ seed, violation })),
    };
  }
}

const round = (value: number) => Math.round(value * 10) / 10;

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  if (values.help) {
    say(usage);
    return 0;
  }
  const lines = Number(values.lines);
  if (values.seed !== undefined) return await replay(Number(values.seed), cutOf(values), lines, values.json);
  const sums = new Sums();
  const beganMs = systemClock.monotonicMs();
  const found = (one: Found) => {
    sums.add(one);
    if (one.violation !== null && !values.json) say(`seed ${one.seed}: ${one.violation}`);
  };
  const threads = values.threads === undefined ? {} : { threads: Number(values.threads) };
  await search({ next: seedsOf(values), found, ...threads });
  const document = sums.document(systemClock.monotonicMs() - beganMs);
  say(values.json ? JSON.stringify(document) : summary(document));
  const [first] = sums.failures;
  if (first && !values.json) await explain(first.seed, lines);
  return sums.failures.length > 0 ? 1 : 0;
}

function seedsOf({ seeds, for: time }: { readonly seeds?: string; readonly for?: string }): () => number | null {
  const range = seeds?.match(/^(\d+)\.\.(\d+)$/);
  if (range) {
    let seed = Number(range[1]);
    return () => (seed <= Number(range[2]) ? seed++ : null);
  }
  const untilMs = systemClock.monotonicMs() + parseDuration(time ?? '1m');
  return () => (systemClock.monotonicMs() < untilMs ? randomInt(1, 2 ** 47) : null);
}

interface CutValues {
  readonly events?: string;
  readonly daemons?: string;
  readonly fabrics?: string;
  readonly storm?: string;
}

function cutOf({ events, daemons, fabrics, storm }: CutValues): Cut {
  const list = (text: string) => (text === 'none' ? [] : text.split(','));
  return {
    events: events === undefined ? null : list(events).map(Number),
    daemons: daemons === undefined ? null : Number(daemons),
    fabrics: fabrics === undefined ? null : list(fabrics),
    stormMs: storm === undefined ? null : Number(storm),
  };
}

async function replay(seed: number, cut: Cut, lines: number, json: boolean): Promise<number> {
  const outcome = await simulate(cutScenario(scenarioOf(seed), cut));
  const { story, ...rest } = outcome;
  if (json) say(JSON.stringify({ ...rest, story }));
  else say(`${story.slice(-lines).join('\n')}\n\n${lineOf(outcome)}`);
  return outcome.violation === null ? 0 : 1;
}

async function explain(seed: number, lines: number): Promise<void> {
  const scenario = scenarioOf(seed);
  const whole = await simulate(scenario);
  const { cut, outcome, replays } = await shrink(scenario, whole);
  say(`\nThe shortest history of seed ${seed} after ${replays} replays:\n`);
  say(outcome.story.slice(-lines).join('\n'));
  say(`\nnpm run sim -- --seed ${seed}${cutOptions(cut)}\nThe whole of it: npm run sim -- --seed ${seed}`);
}

function lineOf({ seed, violation, simulatedMs, steps, runs, commits, digest }: Outcome): string {
  const hours = round(simulatedMs / 3_600_000);
  return `seed ${seed}: ${violation ?? 'all held'}; ${hours} h, ${steps} steps, ${runs} runs, ${commits} commits, digest ${digest}`;
}

function summary(document: ReturnType<Sums['document']>): string {
  const { seeds, simulated_hours, steps, runs, commits, lock_slips, took_s, seeds_per_s, faults, failures } = document;
  const kinds = Object.entries(faults).map(([kind, count]) => `  ${String(count).padStart(8)}  ${kind}`);
  return [
    `${simulated_hours} simulated hours in ${took_s} s: ${seeds} seeds (${seeds_per_s} a second), ${steps} steps`,
    `${runs} runs, ${commits} commits; the lock slipped ${lock_slips} times, and the epoch fenced; injected:`,
    ...kinds,
    failures.length === 0 ? 'all held' : `${failures.length} seed(s) failed`,
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await main().catch((thrown: unknown) => {
  say(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${usage}`);
  return 2;
});

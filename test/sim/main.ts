// `npm run sim`: searches for a seed under which something does not hold, or replays one.
//
//   M1. It ends with 0 where everything held, with 1 where something did not, and with 2 where it was asked wrongly.
//   M2. A seed that fails is told with the shortest history that was found and the command that replays it.

import { randomInt } from 'node:crypto';
import { systemClock } from '../../src/clock.ts';
import { readArguments, usage, type Wish } from './arguments.ts';
import { type Cut, cutOptions, cutScenario } from './cut.ts';
import { scenarioOf } from './scenario.ts';
import { type Found, search } from './search.ts';
import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulate.ts';

/** What all seeds came to. */
class Sums {
  seeds = 0;
  simulatedMs = 0;
  steps = 0;
  runs = 0;
  commits = 0;
  slips = 0;
  readonly faults: Record<string, number> = {};
  readonly failed: Record<string, number> = {};
  readonly failures: Found[] = [];

  add(found: Found): void {
    this.seeds++;
    this.simulatedMs += found.simulatedMs;
    this.steps += found.steps;
    this.runs += found.runs;
    this.commits += found.commits;
    this.slips += found.slips;
    addTo(this.faults, found.faults);
    addTo(this.failed, found.failures);
    if (found.violation !== null) this.failures.push(found);
  }

  document(tookMs: number) {
    return {
      seeds: this.seeds,
      simulated_hours: round(this.simulatedMs / 3_600_000),
      steps: this.steps,
      runs: this.runs,
      commits: this.commits,
      lock_slips: this.slips,
      took_s: round(tookMs / 1_000),
      seeds_per_s: round(this.seeds / (tookMs / 1_000)),
      faults: inOrder(this.faults),
      runs_failed: inOrder(this.failed),
      failures: this.failures.map(({ seed, violation }) => ({ seed, violation })),
    };
  }
}

function addTo(sums: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
}

const inOrder = (sums: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(sums).sort(([a], [b]) => (a < b ? -1 : 1)));

const round = (value: number) => Math.round(value * 10) / 10;

async function main(): Promise<number> {
  const { wish, threads, json, lines } = readArguments(process.argv.slice(2));
  if (wish.what === 'help') {
    say(usage);
    return 0;
  }
  if (wish.what === 'replay') return await replay(wish.seed, wish.cut, lines, json);
  const sums = new Sums();
  const beganMs = systemClock.monotonicMs();
  const found = (one: Found) => {
    sums.add(one);
    if (one.violation !== null && !json) say(`seed ${one.seed}: ${one.violation}`);
  };
  await search({ next: seedsOf(wish), found, ...(threads !== null && { threads }) });
  const document = sums.document(systemClock.monotonicMs() - beganMs);
  say(json ? JSON.stringify(document) : summary(document));
  const [first] = sums.failures;
  if (first && !json) await explain(first.seed, lines);
  return sums.failures.length > 0 ? 1 : 0;
}

function seedsOf(wish: Extract<Wish, { what: 'range' | 'search' }>): () => number | null {
  if (wish.what === 'range') {
    let seed = wish.from;
    return () => (seed <= wish.to ? seed++ : null);
  }
  const untilMs = systemClock.monotonicMs() + wish.forMs;
  return () => (systemClock.monotonicMs() < untilMs ? randomInt(1, 2 ** 47) : null);
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
  const {
    seeds,
    simulated_hours,
    steps,
    runs,
    commits,
    lock_slips,
    took_s,
    seeds_per_s,
    faults,
    failures,
    runs_failed,
  } = document;
  const kinds = Object.entries(faults).map(([kind, count]) => `  ${String(count).padStart(8)}  ${kind}`);
  return [
    `${simulated_hours} simulated hours in ${took_s} s: ${seeds} seeds (${seeds_per_s} a second), ${steps} steps`,
    `${runs} runs, ${commits} commits; the lock slipped ${lock_slips} times, and the epoch fenced; injected:`,
    ...kinds,
    `runs failed with: ${
      Object.entries(runs_failed)
        .map(([code, count]) => `${code} ${count}`)
        .join(', ') || 'nothing'
    }`,
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

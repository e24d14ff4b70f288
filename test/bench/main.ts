// `npm run bench`: what is promised of speed, measured from outside on real servers of its own.
//
//   M1. One scenario at a time, several times each; the median is told, and every run beside it.
//   M2. What is not measured is said beside each table.
//   M3. It ends with 1 where a bound was missed, and with 2 where a scenario could not be measured.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openBed } from './bed.ts';
import { type Figure, type Result, resultsOf, type Scenario } from './figure.ts';
import { describeMachine, load } from './machine.ts';
import { exchanges } from './scenarios/exchanges.ts';
import { inspector } from './scenarios/inspector.ts';
import { large } from './scenarios/large.ts';
import { lateness } from './scenarios/lateness.ts';
import { memory } from './scenarios/memory.ts';
import { page } from './scenarios/page.ts';
import { saturation } from './scenarios/saturation.ts';
import { start } from './scenarios/start.ts';
import { timers } from './scenarios/timers.ts';
import { tracing } from './scenarios/tracing.ts';
import { tableOf } from './table.ts';

const scenarios: readonly Scenario[] = [
  exchanges,
  large,
  start,
  saturation,
  lateness,
  memory,
  timers,
  tracing,
  inspector,
  page,
];

const usage = `npm run bench -- [options] [scenario …]

  --runs N      how often each scenario runs (3)
  --quick       one short turn of each: shows that it works, and roughly where the figures are
  --json FILE   writes the figures there as JSON
  --node-options=TEXT
                of the daemon, such as '--node-options=--cpu-prof --cpu-prof-dir=/tmp/prof'
  --help

scenarios: all, or some of
${scenarios.map(({ name, about }) => `  ${name.padEnd(12)}${about}`).join('\n')}
`;

async function bench(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      'node-options': { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  const runs = values.quick ? 1 : Number(values.runs);
  const unknown = positionals.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (values.help || unknown !== undefined || !(runs >= 1)) {
    say(unknown === undefined ? usage : `there is no scenario "${unknown}"\n\n${usage}`);
    return values.help ? 0 : 2;
  }
  const chosen = positionals.length === 0 ? scenarios : scenarios.filter(({ name }) => positionals.includes(name));
  const bed = await openBed({
    main: fileURLToPath(new URL('../../src/main.ts', import.meta.url)),
    daemonNodeOptions: values['node-options'],
  });
  // Daemon and servers have sessions of their own: a signal does not reach them, and they are ended here.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void bed.close().finally(() => process.exit(1)));
  }
  try {
    const machine = await describeMachine(bed);
    say(
      `${Object.entries(machine)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}\n`,
    );
    const results: Result[] = [];
    const failures: { readonly scenario: string; readonly why: string }[] = [];
    for (const scenario of chosen) {
      const turns: (readonly Figure[])[] = [];
      const loads: number[] = [];
      try {
        for (let turn = 1; turn <= runs; turn += 1) {
          loads.push(load());
          say(`${scenario.name}, run ${turn} of ${runs} (load ${loads.at(-1)})`);
          turns.push(await scenario.run({ bed, quick: values.quick, first: turn === 1, say }));
        }
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        failures.push({ scenario: scenario.name, why });
        say(`${scenario.name} could not be measured: ${why}`);
      }
      const found = resultsOf(scenario.name, turns);
      results.push(...found);
      say(`\n${tableOf(scenario, found)}`);
    }
    if (values.json !== undefined) {
      const notMeasured = Object.fromEntries(chosen.map(({ name, notMeasured: notes }) => [name, notes]));
      const document = { machine, quick: values.quick, runs, results, failures, not_measured: notMeasured };
      await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`);
    }
    const missed = results.filter(({ reached }) => reached === false);
    for (const { scenario, name } of missed) say(`missed: ${scenario}: ${name}`);
    if (failures.length > 0) return 2;
    return missed.length > 0 ? 1 : 0;
  } finally {
    await bed.close();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await bench();

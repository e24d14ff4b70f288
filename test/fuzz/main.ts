// `npm run fuzz -- [--for 1m] [--seed N] [TARGET …]`: inputs that lead further into the product are kept and changed, again
// and again. It exits 1 with the input in a file where one broke a promise; `--input FILE TARGET` gives it once more.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { parseDuration } from '../../src/duration.ts';
import { targets } from './targets.ts';
import { watchedInput, watchedSearch } from './watch.ts';

const { values, positionals } = parseArgs({
  options: { for: { type: 'string', default: '1m' }, seed: { type: 'string' }, input: { type: 'string' } },
  allowPositionals: true,
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const chosen = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.filter((name) => !targets.some((target) => target.name === name));
if (unknown.length > 0 || (values.input !== undefined && chosen.length !== 1)) {
  say(`the targets are:\n${targets.map(({ name, about }) => `  ${name.padEnd(12)}${about}`).join('\n')}`);
  process.exit(2);
}
const module = new URL('./targets.ts', import.meta.url);
if (values.input !== undefined) {
  const [target] = chosen;
  const watch = { module, target: target?.name ?? '', seed: 0, forMs: 0 };
  const { broken, cpuMsMost } = await watchedInput(watch, readFileSync(values.input));
  say(broken === null ? `nothing is broken by it; it takes ${Math.round(cpuMsMost ?? 0)} ms of CPU` : broken.why);
  process.exit(broken === null ? 0 : 1);
}

const seed = values.seed === undefined ? systemClock.nowMs() % 2 ** 31 : Number(values.seed);
if (!Number.isSafeInteger(seed)) {
  say(`--seed ${values.seed}: a whole number is needed`);
  process.exit(2);
}
const eachMs = parseDuration(values.for) / chosen.length;
say(`seed ${seed}, ${Math.round(eachMs / 1_000)} s for each of ${chosen.length} target(s)`);
let broken = 0;
for (const target of chosen) {
  const startMs = systemClock.monotonicMs();
  const found = await watchedSearch({ module, target: target.name, seed, forMs: eachMs });
  const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
  const { inputs = 0, blocks = 0, kept = 0, cpuMsMost = 0, retainedMiB = 0 } = found;
  say(
    `${target.name.padEnd(12)}${String(inputs).padStart(8)} inputs, ${Math.round(inputs / seconds)} a second, ` +
      `${blocks} blocks, ${kept} kept, at most ${Math.round(cpuMsMost)} ms each, ${retainedMiB} MiB held`,
  );
  if (!found.broken) continue;
  broken++;
  const { why, input } = found.broken;
  say(`  BROKEN: ${why}`);
  const file = join(mkdtempSync(join(tmpdir(), 'fabric-syncd-fuzz-')), target.name);
  writeFileSync(file, input);
  say(`  again: npm run fuzz -- --input ${file} ${target.name}`);
}
process.exit(broken === 0 ? 0 : 1);

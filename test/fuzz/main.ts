// `npm run fuzz -- [--for 1m] [--seed N] [TARGET …]`: inputs that lead further into the product are kept and changed, again
// and again. It exits 1 with the input in Base64 where one broke a promise; `--input BASE64 TARGET` gives it once more.

import { parseArgs } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import { parseDuration } from '../../src/duration.ts';
import { seededDice } from '../support/seeded-dice.ts';
import { search } from './search.ts';
import { targets } from './targets.ts';

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
if (values.input !== undefined) {
  const [target] = chosen;
  const open = await target?.open();
  await open?.run(Buffer.from(values.input, 'base64'));
  await open?.close();
  say('nothing is broken by it');
  process.exit(0);
}

const seed = values.seed === undefined ? systemClock.nowMs() % 2 ** 31 : Number(values.seed);
const eachMs = parseDuration(values.for) / chosen.length;
say(`seed ${seed}, ${Math.round(eachMs / 1_000)} s for each of ${chosen.length} target(s)`);
let broken = 0;
for (const target of chosen) {
  const endMs = systemClock.monotonicMs() + eachMs;
  const startMs = systemClock.monotonicMs();
  const found = await search(target, seededDice(seed), () => systemClock.monotonicMs() >= endMs);
  const seconds = (systemClock.monotonicMs() - startMs) / 1_000;
  say(
    `${target.name.padEnd(12)}${String(found.inputs).padStart(8)} inputs, ${Math.round(found.inputs / seconds)} a second, ` +
      `${found.blocks} blocks, ${found.kept} kept, heap +${(found.heapGrowth / 1024 ** 2).toFixed(1)} MiB`,
  );
  if (!found.broken) continue;
  broken++;
  const { why, input } = found.broken;
  say(`  BROKEN: ${why instanceof Error ? (why.stack ?? why.message) : String(why)}`);
  say(`  again: npm run fuzz -- --input ${input.toString('base64')} ${target.name}`);
}
process.exit(broken === 0 ? 0 : 1);

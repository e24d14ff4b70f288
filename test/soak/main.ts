// `npm run soak -- --for 1h`: a daemon among many fabrics that change, fail and recover, for as long as asked, and what
// grows meanwhile. On servers of its own, everything on loopback.
//
//   S1. Each measure is told with its slope an hour and how sure that is; what is demanded of it stands beside it.
//   S2. It ends with 1 where something grows beyond its bound, where a fabric is not well at the end, or where an invariant
//       is violated; with 2 where it could not be measured. A signal ends it early, with what was measured until then.
//   S3. A line each minute says that it lives, and the file of `--json` is written anew each time.

import { rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { formatDuration, NotReadable } from '../../src/duration.ts';
import { openBed } from '../bench/bed.ts';
import { describeMachine, load, type Machine } from '../bench/machine.ts';
import { judgedMsMin, measure, type Soaked } from './measure.ts';
import { type Order, readOrder, usage } from './order.ts';
import { lineOf, tableOf } from './report.ts';

const lineEveryMs = 60_000;

async function soak(): Promise<number> {
  const order = orderOf(process.argv.slice(2));
  if (typeof order === 'number') return order;
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => ending.abort(new Error(`it was stopped by ${signal}`)));
  }
  const bed = await openBed({
    main: fileURLToPath(new URL('../../src/main.ts', import.meta.url)),
    daemonNodeOptions: `--import=${new URL('./probe.ts', import.meta.url).href}`,
  });
  try {
    const machine = await describeMachine(bed);
    say(
      `${Object.entries(machine)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}\n`,
    );
    let toldMs = Number.NEGATIVE_INFINITY;
    const soaked = await bed.stage((stage) =>
      measure(
        {
          order,
          stage,
          redis: bed.redis,
          redisPort: bed.redisServer.port,
          dir: bed.dir,
          async onSample(sample, elapsedMs, soFar) {
            if (elapsedMs - toldMs < (order.quick ? 0 : lineEveryMs)) return;
            toldMs = elapsedMs;
            say(lineOf(sample, elapsedMs));
            await keep(order, machine, soFar());
          },
        },
        ending.signal,
      ),
    );
    await keep(order, machine, soaked);
    return tell(soaked, ending.signal);
  } catch (cause) {
    say(`it could not be measured: ${cause instanceof Error ? cause.message : String(cause)}`);
    return 2;
  } finally {
    await bed.close();
  }
}

function orderOf(args: readonly string[]): Order | number {
  try {
    const order = readOrder(args);
    if (order) return order;
    say(usage);
    return 0;
  } catch (problem) {
    if (!(problem instanceof NotReadable || problem instanceof TypeError)) throw problem;
    say(`${problem.message}\n\n${usage}`);
    return 2;
  }
}

/** Whole or not at all: who ends it in the middle finds the last one. */
async function keep({ json, ...order }: Order, machine: Machine, soaked: Soaked): Promise<void> {
  if (json === null) return;
  await writeFile(`${json}.new`, `${JSON.stringify({ machine, order, ...soaked }, null, 1)}\n`);
  await rename(`${json}.new`, json);
}

function tell(soaked: Soaked, signal: AbortSignal): number {
  const { judged, faults, runs, deeds, measuredMs, long } = soaked;
  say(`\n${tableOf(judged)}`);
  const counts = (of: object) =>
    Object.entries(of)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  say(
    `${formatDuration(measuredMs)} measured; runs: ${counts(runs)}; meanwhile: ${counts(deeds ?? {})}; load ${load()}`,
  );
  if (!long) say(`slopes are not judged: less than ${formatDuration(judgedMsMin)} were measured after the warm-up`);
  if (signal.aborted) say((signal.reason as Error).message);
  const bad = judged.filter(({ verdict }) => verdict === 'grows' || verdict === 'above');
  for (const {
    measure: { name },
    verdict,
  } of bad)
    say(`${verdict === 'grows' ? 'grows' : 'too much'}: ${name}`);
  for (const fault of faults) say(`wrong: ${fault}`);
  if (bad.length + faults.length > 0) return 1;
  return signal.aborted ? 130 : 0;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await soak();

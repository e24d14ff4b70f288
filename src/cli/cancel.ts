import { shellWord } from '../inspector/hints.ts';
import { isRunning } from '../inspector/view.ts';
import { durationOption } from './arguments.ts';
import { CliFailure } from './cli-failure.ts';
import { namedRow } from './named-fabric.ts';
import { plain } from './plain-text.ts';
import { withServers } from './servers.ts';
import { verb } from './verb.ts';
import { whoAsks } from './world.ts';

/** A notice reaches only a run that is under way already, so it is said again until the lease is free. */
const everyMs = 500;

export const cancelVerb = verb<[fabric: string], { timeout: number }>({
  path: ['cancel'],
  summary: 'stop the run that a fabric has in hand',
  details:
    'The daemon that runs it stops it and puts back what was said before; nothing is written to the inventory. The next ' +
    'sync comes as scheduled. A daemon that does not listen is got rid of with unlock.',
  examples: ['fabric-syncd cancel lab'],
  define(command) {
    command
      .argument('<fabric>', 'name or number')
      .addOption(durationOption('--timeout <duration>', 'how long to wait for it to stop', 30_000));
  },
  async run({ world, args: [fabric], options, out, signal }) {
    const { clock } = world;
    return withServers({ world, signal }, async ({ operator }) => {
      const { row, nowMs } = await namedRow(operator, fabric);
      const { fabricId, name, runInHand } = row;
      if (!isRunning(row, nowMs)) {
        out.document({ fabric: name, id: fabricId, cancelled: false, run: null, outcome: null });
        out.say(`${name} has no run in hand.`);
        return 'done';
      }
      const untilMs = clock.monotonicMs() + options.timeout;
      let told = false;
      while (clock.monotonicMs() < untilMs) {
        await operator.cancel(fabricId, whoAsks(world));
        await clock.sleep(everyMs, signal);
        const { fabrics, nowMs } = await operator.status(fabricId);
        const [now] = fabrics;
        if (now && isRunning(now, nowMs) && now.runInHand?.runId === runInHand?.runId) {
          if (!told) out.note(`Waiting for ${plain(row.leaseHolder ?? 'its daemon')} to stop it.`);
          told = true;
          continue;
        }
        const ended = runInHand && (await operator.run(runInHand.runId));
        // It may have come to its own end before it was told to stop; a lease that ran out leaves it open for the sweep.
        const outcome = ended ? (ended.outcome ?? 'interrupted') : null;
        const cancelled = outcome === 'cancelled';
        out.document({ fabric: name, id: fabricId, cancelled, run: ended?.runId ?? null, outcome });
        out.say(cancelled ? `${name}: the run was cancelled.` : `${name}: the run had ended: ${outcome ?? 'gone'}.`);
        return 'done';
      }
      throw new CliFailure(
        'timed_out',
        'STILL_RUNNING',
        `${name} is still being synced by ${row.leaseHolder ?? 'somebody'}`,
        {
          hint: `Cut it off: fabric-syncd unlock ${shellWord(name)}.`,
        },
      );
    });
  },
});

// One sync of some fabrics in this process, without a daemon: the same statechart, lock, claim and commit.

import { noTracing, type Tracing } from '../otel/tracing.ts';
import type { Tiding } from './admin/tidings.ts';
import type { Clock } from './clock.ts';
import { composeCore, daemonName } from './compose.ts';
import type { Config } from './config.ts';
import type { Dice } from './dice.ts';
import type { Log } from './log.ts';
import { openServers } from './servers.ts';
import { endingAll } from './service.ts';

export interface RunOnceDeps {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly hostname: string;
  readonly pid: number;
  readonly tracing: Tracing;
}

/** How long an aborted run may take to write down that it was aborted. */
const abortMs = 5_000;

/**
 * Runs the open requests of these fabrics and resolves when each has come to rest; how it ended is in the rows. A fabric
 * that somebody else runs is left to them.
 */
export async function runOnce(
  deps: RunOnceDeps,
  fabricIds: readonly string[],
  tell: (tiding: Tiding) => void,
  signal: AbortSignal,
): Promise<void> {
  const { config, log, clock, dice, tracing } = deps;
  const daemon = daemonName(deps.hostname, deps.pid);
  const servers = openServers({ config, log, clock, daemon, traced: tracing !== noTracing });
  const { store, timers, lock, apis } = servers;
  const core = composeCore({ config, log, clock, dice, daemon, store, timers, lock, apis, tracing });
  const { fleet, planner, attempts, tidings } = core;
  const stopListening = tidings.listen(tell);
  const onAbort = () => {
    for (const fabricId of fabricIds) if (!fleet.giveUp(fabricId)) fleet.cancel(fabricId, 'a signal');
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const work = async () => {
    await servers.settled();
    const rows = (await store.fabrics()).filter((row) => fabricIds.includes(row.fabricId));
    const requests = await store.openRequests();
    for (const planned of await planner.remember(rows)) fleet.plan(planned, 'run once', true);
    for (const { fabricId } of rows) {
      const request = requests.find((one) => one.fabricId === fabricId);
      if (!request || signal.aborted) continue;
      const answer = fleet.request(fabricId, request.by, request.traceparents);
      if (typeof answer !== 'string') await store.refuseRequests(fabricId, answer.refused);
    }
    await fleet.idle();
  };
  const ends = [
    () => signal.removeEventListener('abort', onAbort),
    () => fleet.stop({ graceMs: 0, abortMs }, AbortSignal.abort()),
    () => attempts.dropAll(),
    stopListening,
    () => servers.close(),
  ];
  await endingAll(work, ends, (cause) => log.warn({ err: cause }, 'something did not end cleanly'));
}

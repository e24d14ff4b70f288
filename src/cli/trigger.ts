import type { Command } from 'commander';
import { type IdleReason, manualAllowed, plan } from '../../machines/fabric/plan.ts';
import type { Tracing } from '../../otel/tracing.ts';
import type { Tiding } from '../admin/tidings.ts';
import { idleHint, idleWords } from '../inspector/hints.ts';
import type { StatusRow } from '../ports/operator.ts';
import { durationOption } from './arguments.ts';
import { awaitRequests, type Request } from './await-requests.ts';
import { CliFailure, usageFailure } from './cli-failure.ts';
import type { Exit } from './exit-codes.ts';
import { namedRow } from './named-fabric.ts';
import { type Servers, withServers } from './servers.ts';
import { type Asking, traced } from './traced.ts';
import { answerDocument, answerLines, exitOf, progressLine } from './trigger-text.ts';
import { type Call, type Verb, verb } from './verb.ts';
import { type World, whoAsks } from './world.ts';

/**
 * Runs the open requests of these fabrics in this process, under the same lock and the same claim as a daemon would, and
 * resolves when each has come to an end; how it ended is in the rows. A fabric that somebody else runs is left to them.
 */
export type RunOnce = (
  world: World,
  fabricIds: readonly string[],
  tell: (tiding: Tiding) => void,
  signal: AbortSignal,
  tracing: Tracing,
) => Promise<void>;

interface Options {
  readonly all?: true;
  readonly wait: boolean;
  readonly timeout: number;
}

/**
 * @param ignoredAfterMs where nobody on this host answers, nobody may be there at all: how long a daemon on another host
 *   is given to take the request up
 */
export function makeTriggerVerb(runOnce: RunOnce, ignoredAfterMs = 3_000): Verb {
  return verb<[fabrics: string[]], Options>({
    path: ['trigger'],
    summary: 'sync fabrics now',
    details:
      'Asks the daemon, shows the progress and then the result. Where no daemon runs, the sync is done here, under the ' +
      'same lock. A fabric that is being synced already joins the run in hand. The schedule does not move.',
    examples: ['fabric-syncd trigger lab', 'fabric-syncd trigger --all --no-wait', 'fabric-syncd trigger lab --json'],
    define(command: Command) {
      command
        .argument('[fabrics...]', 'names or numbers')
        .option('--all', 'every fabric that may be synced')
        .option('--no-wait', 'do not wait for the result')
        .addOption(durationOption('--timeout <duration>', 'how long to wait for the result', 600_000));
    },
    run: (call) =>
      traced(
        call.world,
        'trigger',
        (line) => call.out.note(line),
        (asking) => withServers(call, (servers) => trigger(call, servers, { runOnce, ignoredAfterMs, ...asking })),
      ),
  });
}

async function trigger(
  { world, args: [named], options, out, signal }: Call<[fabrics: string[]], Options>,
  servers: Servers,
  { runOnce, ignoredAfterMs, traceparent, tracing }: Asking & { runOnce: RunOnce; ignoredAfterMs: number },
): Promise<Exit> {
  const { operator } = servers;
  const { allowed, refused } = await choose(servers, named, options);
  // Named fabrics are asked for together or not at all, so that nobody has to find out which half was done.
  const [first] = refused;
  if (first && !options.all) throw refusal(first);
  for (const { name, reason } of refused) out.note(`${name}: left out, ${idleWords[reason]}`);

  const names = new Map(allowed.map((row) => [row.fabricId, row.name]));
  const ask = async () => {
    const made = await operator.request([...names.keys()], whoAsks(world), traceparent);
    return made.map((request): Request => ({ ...request, name: names.get(request.fabricId) ?? '' }));
  };
  if (!options.wait) {
    const requests = await ask();
    const documents = requests.map(({ name, fabricId, requestId }) => ({
      fabric: name,
      id: fabricId,
      request: requestId,
    }));
    out.document({ requests: documents });
    for (const { name, requestId } of requests) out.say(`${name}: asked for (request ${requestId})`);
    return 'done';
  }

  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const tell = (tiding: Tiding) => {
    const line = names.has(tiding.fabric_id) ? progressLine(tiding) : null;
    if (line !== null) out.note(line);
  };
  // Listening first, so that nothing of a quick run is missed.
  const daemonAnswers = (await servers.daemon()) !== null;
  const stream = daemonAnswers ? await servers.tidings(tell, until) : null;
  if (!daemonAnswers) out.note('No daemon answers here; one elsewhere has a moment to take it up.');
  let triedHere = false;
  let here: Promise<void> = Promise.resolve();
  const failed: { here: unknown } = { here: null };
  try {
    const answers = await awaitRequests(await ask(), {
      operator,
      clock: world.clock,
      timeoutMs: options.timeout,
      // A daemon that answers will take it up when it has room: running it here as well would only be in its way.
      ignoredAfterMs: daemonAnswers ? Number.POSITIVE_INFINITY : ignoredAfterMs,
      onIgnored: (ignored) => {
        if (!triedHere) out.note('None takes it up; it is run here.');
        triedHere = true;
        const fabricIds = ignored.map((one) => one.fabricId);
        here = runOnce(world, fabricIds, tell, until, tracing).catch((thrown: unknown) => {
          failed.here = thrown;
          over.abort(thrown);
        });
        return here;
      },
      onAnswer: (answer) => {
        for (const line of answerLines(answer, out.paint)) out.say(line);
      },
      signal: until,
    });
    out.document({ requests: answers.map(answerDocument) });
    return exitOf(answers);
  } catch (thrown) {
    throw failed.here ?? thrown;
  } finally {
    over.abort();
    await Promise.all([here, stream?.over]);
  }
}

async function choose(
  { operator }: Servers,
  named: readonly string[],
  { all }: Options,
): Promise<{ allowed: StatusRow[]; refused: { name: string; reason: IdleReason }[] }> {
  if (all ? named.length > 0 : named.length === 0) {
    throw usageFailure('name the fabrics to sync, or give --all', 'See them all: fabric-syncd status.');
  }
  const rows: { row: StatusRow; nowMs: number }[] = [];
  if (all) {
    const { fabrics, nowMs } = await operator.status();
    rows.push(...fabrics.map((row) => ({ row, nowMs })));
  } else for (const one of named) rows.push(await namedRow(operator, one));
  const allowed = new Map<string, StatusRow>();
  const refused: { name: string; reason: IdleReason }[] = [];
  for (const { row, nowMs } of rows) {
    const planned = plan(row, nowMs);
    if (planned.state === 'idle' && !manualAllowed[planned.reason])
      refused.push({ name: row.name, reason: planned.reason });
    else allowed.set(row.fabricId, row);
  }
  return { allowed: [...allowed.values()], refused };
}

function refusal({ name, reason }: { name: string; reason: IdleReason }): CliFailure {
  return new CliFailure('refused', reason.toUpperCase(), `${name} cannot be synced: ${idleWords[reason]}`, {
    hint: idleHint(reason, name),
  });
}

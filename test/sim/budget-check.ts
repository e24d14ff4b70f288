// h. What a failing fabric may be asked: when it is tried again, how often, and for how much in one run. The law is written
// here once more, from the design; of the product only the table of codes is believed.
//
//   T1. A failed try counts. It rests in `backoff` while there are retries left, and in `errored` after that, or where only
//       a person can mend it.
//   T2. The wait is the one that the law makes of a roll of the daemon's dice at that very moment: a draw may be tiny, a
//       wait of the daemon's own making is none. A `Retry-After` that was heard is not undercut.
//      After a run that a sweep ends the database draws: of that wait only the most is known (`promise-check.ts`).
//   T3. No try begins before the time that was promised for it, unless a person changed something.
//   T4. A run asks each question once, a list once more for each of its passes that broke, and nothing at all once an
//       answer has ended it.

import { verdictByCode } from '../../machines/fabric/failure.ts';
import type { Config } from '../../src/config.ts';
import type { Answer } from '../../src/kube/answers.ts';
import type { ClaimRequest, FabricRow, SettleRequest } from '../../src/ports/store.ts';
import { readLimitsDefault } from '../../src/sync/read.ts';
import type { SimFabric } from './fabric.ts';
import { endsARun, readPath } from './fabric-answers.ts';
import type { SimProcess } from './host.ts';
import type { World } from './world.ts';

/** A run of one fabric by one process, as far as it has come. */
interface RunLedger {
  readonly runId: string;
  readonly row: FabricRow;
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  /** `Retry-After` of answers that can have ended it, by status, in milliseconds; 0 where there was none. */
  readonly patience: { readonly status: number; readonly ms: number }[];
  /** Passes that the fabric had broken, and lists that it had refused as not served, before. */
  readonly before: ReadonlyMap<string, number>;
  /** The step at which an answer ended it. */
  overAtStep: number | null;
}

interface Promised {
  readonly epoch: number;
  readonly dueAtMs: number;
  /** Virtual time. */
  readonly atMs: number;
}

/** No answer is worth a longer wait. */
const patienceMsMax = 3_600_000;
/** A timer that was claimed by a wrong clock may still wait for a slot. */
const clockForgottenMs = 10 * 60_000;

export class BudgetCheck {
  readonly #world: World;
  readonly #backoff: Config['backoff'];
  readonly #runs = new Map<string, RunLedger>();
  readonly #promised = new Map<string, Promised>();
  readonly #rolls = new Map<SimProcess, { readonly atMs: number; readonly rolls: number[] }>();

  constructor(world: World, config: Config) {
    this.#world = world;
    this.#backoff = config.backoff;
  }

  /** The dice of a daemon were asked. */
  rolled(roll: number, process: SimProcess): void {
    const { nowMs } = this.#world;
    const known = this.#rolls.get(process);
    if (known?.atMs === nowMs) known.rolls.push(roll);
    else this.#rolls.set(process, { atMs: nowMs, rolls: [roll] });
  }

  /** People, or a backup, decide anew when a fabric is tried. */
  meddled(fabricId: string): void {
    this.#promised.delete(fabricId);
  }

  claimed(process: SimProcess, runId: string, row: FabricRow, fabric: SimFabric): void {
    const before = new Map(fabric.broken);
    this.#runs.set(keyOf(process, row.fabricId), {
      ...{ runId, row, before, asked: new Map(), patience: [], overAtStep: null },
    });
  }

  /** T3. A daemon asks for a claim. */
  tries(process: SimProcess, { servedDueMs }: ClaimRequest, clockJumpedMs: number): string | null {
    const { nowMs } = this.#world;
    if (servedDueMs === null || nowMs - clockJumpedMs < clockForgottenMs) return null;
    const earlyMs = servedDueMs - process.clock.nowMs();
    return earlyMs > 0 ? `h. ${process.name} tries ${earlyMs} ms before the time that it serves` : null;
  }

  /** T3. A claim was granted, with what its row said before. */
  granted(request: ClaimRequest, epoch: number): string | null {
    const { fabricId, trigger, servedDueMs } = request;
    const promised = this.#promised.get(fabricId);
    this.#promised.delete(fabricId);
    if (!promised || promised.epoch !== epoch - 1 || trigger === 'manual' || servedDueMs === null) return null;
    const earlyMs = promised.dueAtMs - servedDueMs;
    return earlyMs > 0 ? `h. the next try came ${earlyMs} ms before the time that was promised for it` : null;
  }

  /** T4. */
  requested(fabricId: string, process: SimProcess, path: string, fabric: SimFabric): string | null {
    const run = this.#runs.get(keyOf(process, fabricId));
    if (!run) return null;
    if (run.overAtStep !== null && run.overAtStep < this.#world.steps) {
      return `h. ${process.name} asks for ${path} after an answer that ended its run`;
    }
    const times = (run.asked.get(path) ?? 0) + 1;
    run.asked.set(path, times);
    const most = timesMost(path, run.before, fabric);
    if (times <= most) return null;
    return `h. ${process.name} asks for ${path} ${times} times in one run, and was to ask ${most} at most`;
  }

  /** An answer came, or none, or the question was given up. */
  heard(fabricId: string, process: SimProcess, answer: Answer | null): void {
    const run = this.#runs.get(keyOf(process, fabricId));
    if (!run || (answer !== null && !endsARun(answer))) return;
    run.overAtStep ??= this.#world.steps;
    if (answer) run.patience.push({ status: answer.status, ms: 1_000 * Number(answer.retryAfter ?? 0) });
  }

  /** T1, T2. */
  settles(process: SimProcess, request: SettleRequest): string | null {
    const { fabricId, claim, outcome, rest, attempts, due, failure } = request;
    const run = this.#runs.get(keyOf(process, fabricId));
    if (outcome !== 'failed' || run?.runId !== claim.runId) return null;
    const { retriesMax } = this.#backoff;
    if (attempts <= run.row.attempts) return `h. a failed try is not counted: ${attempts} after ${run.row.attempts}`;
    const isOver = attempts > retriesMax || verdictByCode[failure.code] === 'stop';
    if (rest !== (isOver ? 'errored' : 'backoff')) {
      return `h. it rests in ${rest} after try ${attempts} of ${retriesMax + 1} (${failure.code})`;
    }
    if (!due) return 'h. a failed try has no next one';
    const waitMs = due.dueAtMs - process.clock.nowMs();
    const patienceMs = Math.min(patienceMsMax, Math.max(failure.retryAfterMs ?? 0, leastPatience(run, failure.code)));
    const known = this.#rolls.get(process);
    const rolls = known?.atMs === this.#world.nowMs ? known.rolls : [];
    const lawful = (roll: number) =>
      rest === 'backoff'
        ? patienceMs + this.#ceilingMs(attempts) * roll
        : Math.max(this.#backoff.probeMsMin, run.row.intervalMs, patienceMs) * (1 + roll / 10);
    if (rolls.some((roll) => Math.abs(lawful(roll) - waitMs) <= 1)) return null;
    const would = rolls.map((roll) => Math.round(lawful(roll))).join(' or ') || 'none, for no dice were rolled';
    return `h. ${rest} of ${waitMs} ms after try ${attempts} (${failure.code}); by its dice: ${would}`;
  }

  /** It is written down when the next try is. */
  settled(request: SettleRequest, row: FabricRow): void {
    if (request.outcome !== 'failed' || row.dueAtMs === null || row.epoch !== request.claim.epoch) return;
    this.#promised.set(request.fabricId, { epoch: row.epoch, dueAtMs: row.dueAtMs, atMs: this.#world.nowMs });
  }

  #ceilingMs(attempts: number): number {
    const { baseMs, capMs } = this.#backoff;
    return Math.min(capMs, baseMs * 2 ** (attempts - 1));
  }
}

const keyOf = (process: SimProcess, fabricId: string) => `${process.name} ${fabricId}`;

/** What the answer that ended it had asked for at least: of several, any may have been the one. */
function leastPatience({ patience }: RunLedger, code: SettleRequest['failure']['code']): number {
  if (code !== 'THROTTLED' && code !== 'SERVER_ERROR') return 0;
  const meant = patience.filter(({ status }) => (status === 429) === (code === 'THROTTLED'));
  return meant.length === 0 ? 0 : Math.min(...meant.map(({ ms }) => ms));
}

function timesMost(path: string, before: RunLedger['before'], { broken }: SimFabric): number {
  const asked = readPath(path);
  // The identity of the cluster is asked once more before anything is written.
  if (asked.what === 'clusterUid') return 2;
  if (asked.what !== 'page') return 1;
  const since = (what: string) => (broken.get(what) ?? 0) - (before.get(what) ?? 0);
  const passes = 1 + Math.min(readLimitsDefault.restartsMax, since(asked.kind));
  // A kind that was served once and is not is looked for anew, and read where it went.
  return passes + Math.min(1, since(`${asked.kind} not served`));
}

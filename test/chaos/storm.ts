// The storm: faults chosen by a seed, one or several at once, round after round; and how long each took to be over.
//
//   S1. The seed decides what strikes and for how long; when exactly is the machine's affair.
//   S2. After every round every fabric is synced once more, within a bound, before the next one begins. A round that does
//       not come to that is told with its evidence, and the storm goes on.
//   S3. Meanwhile people edit the fabrics, ask for syncs and do what operators do; what they have in hand need not be well.

import { systemClock } from '../../src/clock.ts';
import type { Dice } from '../../src/dice.ts';
import { formatDuration } from '../../src/duration.ts';
import { type Fault, faultsFor } from './faults.ts';
import type { Ground } from './ground.ts';
import { bustle, type Deeds } from './people.ts';

export interface Round {
  readonly faults: readonly string[];
  /** Epoch milliseconds. */
  readonly struckMs: number;
  readonly wellMs: number;
  /**
   * Until every fabric was synced once more: from the strike where others go on, else from the healing. It contains what a
   * fabric waits for its next time anyway.
   */
  readonly recoveryMs: number;
}

export interface Storm {
  readonly rounds: readonly Round[];
  readonly deeds: Deeds;
  /** What did not become well in time, a line each. */
  readonly unwell: readonly string[];
}

export interface StormDeps {
  readonly ground: Ground;
  readonly dice: Dice;
  /** Of what people do: they are not to move what strikes. */
  readonly peopleDice: Dice;
  readonly forMs: number;
  readonly leaseTtlMs: number;
  readonly boundMs: number;
  readonly say: (line: string) => void;
  /** After each round. */
  readonly gather: () => Promise<void>;
}

/** How often several strike at once. */
const severalShare = 0.3;
const calmMs = 300;
const lookEveryMs = 50;

export async function rage(deps: StormDeps, signal: AbortSignal): Promise<Storm> {
  const { ground, dice, forMs } = deps;
  const possible = faultsFor(deps.leaseTtlMs).filter((fault) => fault.possible?.(ground) ?? true);
  const deck = new Deck(possible, dice);
  const rounds: Round[] = [];
  const unwell: string[] = [];
  const ending = new AbortController();
  const people = bustle(ground, deps.peopleDice, AbortSignal.any([signal, ending.signal]));
  const beganMs = systemClock.monotonicMs();
  try {
    while (!signal.aborted && systemClock.monotonicMs() - beganMs < forMs) {
      const several = dice.roll() < severalShare;
      const chosen = deck.draw(several ? 2 + Math.floor(dice.roll() * 2) : 1);
      const outcome = await strike(deps, chosen);
      rounds.push(outcome.round);
      if (outcome.unwell) unwell.push(outcome.unwell);
      await deps.gather();
      await systemClock.sleep(calmMs);
    }
  } finally {
    ending.abort();
  }
  return { rounds, deeds: await people, unwell };
}

async function strike({ ground, dice, boundMs, say }: StormDeps, chosen: readonly Fault[]) {
  const struckMs = systemClock.nowMs();
  const words: string[] = [];
  for (const fault of chosen) {
    const what = await fault.strike(ground, dice).catch((cause: unknown) => `nothing: ${String(cause)}`);
    words.push(`${fault.name} (${what})`);
  }
  const lastsMs = Math.max(...chosen.map(({ lastsMs: [least, most] }) => least + dice.roll() * (most - least)));
  const goesOn = chosen.length === 1 && chosen.every(({ othersGoOn }) => othersGoOn);
  if (goesOn) {
    const recovered = await allSynced(ground, struckMs, boundMs);
    await ground.healAll();
    return ended(recovered ?? (await evidence(ground, struckMs)));
  }
  await systemClock.sleep(lastsMs);
  await ground.healAll();
  const healedMs = systemClock.nowMs();
  return ended((await allSynced(ground, healedMs, boundMs)) ?? (await evidence(ground, healedMs)));

  function ended(recovery: number | string) {
    const recoveryMs = typeof recovery === 'number' ? recovery : boundMs;
    const lasted = goesOn ? '' : `, for ${formatDuration(Math.round(lastsMs / 100) * 100)}`;
    say(`${words.join(' + ')}${lasted}: well after ${formatDuration(Math.round(recoveryMs / 10) * 10)}`);
    const faults = chosen.map(({ name }) => name);
    const round: Round = { faults, struckMs, wellMs: systemClock.nowMs(), recoveryMs };
    const unwell =
      typeof recovery === 'string' ? `${words.join(' + ')}: not well within ${boundMs} ms: ${recovery}` : null;
    return { round, unwell };
  }
}

/** @returns milliseconds from `sinceMs` until every fabric was synced by a run that began after it; null: not in time */
export async function allSynced({ sql, inHands }: Ground, sinceMs: number, withinMs: number): Promise<number | null> {
  for (;;) {
    const nowMs = systemClock.nowMs();
    // Postgres may be what was struck: whoever cannot be asked has not answered yet.
    const [row] = await sql<{ left: number; last: number | null }[]>`
      with synced as (
        select f.id, min(r.finished_at) as at
          from fabric f left join fabric_run r
            on r.fabric_id = f.id and r.outcome = 'complete' and r.started_at > to_timestamp(${sinceMs}::float8 / 1000)
         where not f.name = any(${[...inHands]}::text[])
         group by f.id)
      select count(*) filter (where at is null)::int as left,
             (extract(epoch from max(at)) * 1000)::float8 as last from synced`.catch(() => []);
    if (row?.left === 0 && row.last !== null) return row.last - sinceMs;
    if (nowMs - sinceMs > withinMs) return null;
    await systemClock.sleep(lookEveryMs);
  }
}

async function evidence({ sql }: Ground, sinceMs: number): Promise<string> {
  const rows = await sql<Record<string, unknown>[]>`
    select f.name, c.state, f.sync_status, f.sync_error, c.due_at, c.due_kind, c.epoch::int, c.lease_holder, c.lease_until,
           c.attempts, now() as now
      from fabric f join fabric_cycle c on c.fabric_id = f.id
     where not exists (select from fabric_run r where r.fabric_id = f.id and r.outcome = 'complete'
                          and r.started_at > to_timestamp(${sinceMs}::float8 / 1000))`.catch((cause: unknown) => [
    { postgres: String(cause) },
  ]);
  return JSON.stringify(rows);
}

/** Every fault comes up once before any comes up again. */
class Deck {
  readonly #faults: readonly Fault[];
  readonly #dice: Dice;
  #left: Fault[] = [];

  constructor(faults: readonly Fault[], dice: Dice) {
    this.#faults = faults;
    this.#dice = dice;
  }

  /** So many of different sorts. */
  draw(count: number): readonly Fault[] {
    const drawn: Fault[] = [];
    while (drawn.length < count) {
      if (this.#left.length === 0) this.#left = [...this.#faults];
      const fitting = this.#left.filter(({ sort }) => !drawn.some((other) => other.sort === sort));
      const fault = fitting[Math.floor(this.#dice.roll() * fitting.length)];
      // The rest of the deck is of sorts that strike already.
      if (!fault) break;
      this.#left = this.#left.filter((one) => one !== fault);
      drawn.push(fault);
    }
    return drawn;
  }
}

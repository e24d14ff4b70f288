// People in the middle of a storm: they edit the fabrics, ask for syncs, and do with the program whatever operators do.
//
//   B1. Whatever somebody began is brought to its end: paused is resumed, disabled is enabled, removed is added again. A verb
//       that Postgres did not answer is given again.
//   B2. One act at a time, and none while a dump is older than what was done: `alone` is the turn of both.
//   B3. What was promised to them is kept: no run begins between a pause that was confirmed and its end.

import { systemClock } from '../../src/clock.ts';
import type { Dice } from '../../src/dice.ts';
import { runFabricSyncd } from '../support/run-program.ts';
import { type Act, actNames, acts } from './acts.ts';
import type { Ground } from './ground.ts';

/** No run of the fabric may begin in it. Epoch milliseconds. */
export interface Quiet {
  readonly fabric: string;
  readonly why: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Somebody had it in hand: what was promised of it before may be broken. Epoch milliseconds. */
export interface Touched {
  readonly fabric: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Deeds {
  readonly edits: number;
  readonly requests: number;
  /** How often each act was done, to its end. */
  readonly acts: Readonly<Record<string, number>>;
  readonly quiet: readonly Quiet[];
  readonly touched: readonly Touched[];
  /** Verbs that ended in a way that no storm excuses, a line each. */
  readonly wrong: readonly string[];
}

const everyMs = { edit: 250, request: 1_500, act: 400 };
/** Whatever is away is back within this, and answers. */
const insistMs = 60_000;
const againMs = 200;
/** `done`, Postgres does not answer, and the deadline passed: what a storm may do to any verb. */
const excused: ReadonlySet<number> = new Set([0, 6, 9]);

/** Resolves when everything that was begun is at its end. */
export async function bustle(ground: Ground, dice: Dice, signal: AbortSignal): Promise<Deeds> {
  const { sql, fabricProcess, fabrics } = ground;
  const people = new People(ground, dice, signal);
  let edits = 0;
  let requests = 0;
  const keep = async (ms: number, act: (turn: number) => Promise<void>) => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      await act(turn);
      await systemClock.sleep(ms, signal).catch(() => {});
    }
  };
  const at = (turn: number) => fabrics[turn % fabrics.length]?.name ?? '';
  let left: Act[] = [];
  await Promise.all([
    keep(everyMs.edit, async (turn) => {
      edits += await fabricProcess.act(at(turn), 'userEdit');
    }),
    keep(everyMs.request, async (turn) => {
      // Where Postgres is away nobody can ask.
      const asked = await sql`
        insert into fabric_request (fabric_id, asked_by) select id, 'chaos' from fabric where name = ${at(turn)}`.catch(
        () => null,
      );
      requests += asked?.count ?? 0;
    }),
    keep(everyMs.act, async () => {
      // Every act comes up once before any comes up again.
      if (left.length === 0) left = [...acts];
      const [act] = left.splice(Math.floor(dice.roll() * left.length), 1);
      if (act) await ground.alone(() => people.do(act));
    }),
  ]);
  return { edits, requests, ...people.told };
}

interface Span {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** What an act may do. */
export class People {
  readonly #ground: Ground;
  readonly #dice: Dice;
  readonly #signal: AbortSignal;
  readonly #done: Record<string, number> = Object.fromEntries(actNames.map((name) => [name, 0]));
  readonly #quiet: Quiet[] = [];
  readonly #touched: Touched[] = [];
  readonly #wrong: string[] = [];

  constructor(ground: Ground, dice: Dice, signal: AbortSignal) {
    this.#ground = ground;
    this.#dice = dice;
    this.#signal = signal;
  }

  get told(): Pick<Deeds, 'acts' | 'quiet' | 'touched' | 'wrong'> {
    return { acts: this.#done, quiet: this.#quiet, touched: this.#touched, wrong: this.#wrong };
  }

  get ground(): Ground {
    return this.#ground;
  }

  async do(act: Act): Promise<void> {
    const { sql, inHands } = this.#ground;
    const rows = await sql<{ name: string }[]>`select name from fabric order by id`.catch(() => []);
    const fabric = this.oneOf(rows)?.name;
    if (fabric === undefined) return;
    const fromMs = systemClock.nowMs();
    inHands.add(fabric);
    try {
      await act.does(this, fabric);
      this.#done[act.name] = (this.#done[act.name] ?? 0) + 1;
    } finally {
      inHands.delete(fabric);
      this.#touched.push({ fabric, fromMs, toMs: systemClock.nowMs() });
    }
  }

  oneOf<Thing>(things: readonly Thing[]): Thing | undefined {
    return things[Math.floor(this.#dice.roll() * things.length)];
  }

  /** So much time, by chance; less where the storm is over before. */
  async letPass({ leastMs, mostMs }: Span): Promise<void> {
    await systemClock.sleep(leastMs + this.#dice.roll() * (mostMs - leastMs), this.#signal).catch(() => {});
  }

  /** Gives a command once. @returns its exit status */
  async say(...argv: readonly string[]): Promise<number> {
    const { code, stderr } = await runFabricSyncd(argv, { env: this.#ground.peopleEnv });
    // Refused is an answer: the fabric may be as it was wanted already.
    if (!excused.has(code) && code !== 4) this.#wrong.push(`${argv.join(' ')} ended with ${code}: ${stderr.trim()}`);
    return code;
  }

  /** Gives it until it is done, or refused where that is as good. @returns whether it came to that */
  async insist(argv: readonly string[], fits: readonly number[] = [0]): Promise<boolean> {
    const untilMs = systemClock.monotonicMs() + insistMs;
    for (;;) {
      if (fits.includes(await this.say(...argv))) return true;
      if (systemClock.monotonicMs() > untilMs) {
        this.#wrong.push(`${argv.join(' ')} was not done within ${insistMs} ms`);
        return false;
      }
      await systemClock.sleep(againMs);
    }
  }

  /** No run of it may begin from now until this is called. */
  quietFrom(fabric: string, why: string): () => void {
    const fromMs = systemClock.nowMs();
    return () => this.#quiet.push({ fabric, why, fromMs, toMs: systemClock.nowMs() });
  }
}

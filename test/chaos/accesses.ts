// The fabrics' own request logs, gathered before they forget.

import type { Sql } from 'postgres';
import { heldRuns } from './chronicle.ts';
import { checker, type Ground } from './ground.ts';
import { type Asked, readFaults } from './reads.ts';

/** What a fabric answers to whom it does not know: nothing was read. */
const unknownStatus = 401;

export class RequestLog {
  readonly #ground: Ground;
  readonly #asked: Asked[] = [];
  /** By fabric, whoever asked. */
  readonly #gathered = new Map<string, number>();

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Takes over what has ended since the last time. A fabric remembers only some thousands. */
  async gather(): Promise<void> {
    const { fabrics, fabricProcess } = this.#ground;
    for (const { name } of fabrics) {
      const accesses = await fabricProcess.accesses(name, { forget: true });
      this.#gathered.set(name, (this.#gathered.get(name) ?? 0) + accesses.length);
      for (const { client, atMs, kind, page, status, url } of accesses) {
        if (client === checker || (client === null && status === unknownStatus)) continue;
        this.#asked.push({ fabric: name, client, atMs, kind: page > 0 ? kind : null, url });
      }
    }
  }

  /**
   * What does not fit what was run; every daemon has ended.
   * @param leaseTtlMs of the daemons: who cannot be told of a fence stops when its lease ends
   */
  async faults(sql: Sql, leaseTtlMs: number, wireMs: number): Promise<readonly string[]> {
    await this.gather();
    const { fabrics, fabricProcess, seats } = this.#ground;
    const lost: string[] = [];
    for (const { name } of fabrics) {
      const { site } = await fabricProcess.figures(name);
      const gathered = this.#gathered.get(name) ?? 0;
      // A log that has forgotten something proves nothing.
      if (gathered !== site.requests) lost.push(`${name} was asked ${site.requests} times, and ${gathered} are known`);
    }
    const held = await heldRuns(sql, (daemon) => {
      const pid = Number(daemon.split('/').at(-2));
      return seats.find(({ pids }) => pids.has(pid))?.name ?? null;
    });
    const stood = seats.flatMap((seat) => seat.stood);
    return [...lost, ...readFaults({ asked: this.#asked, held, stood, hearsWithinMs: leaseTtlMs, wireMs })];
  }

  /** How many are known, of daemons. */
  get size(): number {
    return this.#asked.length;
  }
}

// A few connections that each work for one act at a time; the other acts wait in line.

import type { Pool } from './pool.ts';

export class Lanes {
  readonly #open: () => Pool;
  readonly #most: number;
  readonly #all: Pool[] = [];
  readonly #idle: Pool[] = [];
  readonly #line: ((pool: Pool) => void)[] = [];

  /** @param open makes a pool of one connection */
  constructor(open: () => Pool, most: number) {
    this.#open = open;
    this.#most = most;
  }

  async use<T>(work: (pool: Pool) => Promise<T>, signal: AbortSignal): Promise<T> {
    const pool = await this.#take(signal);
    try {
      return await work(pool);
    } finally {
      const next = this.#line.shift();
      if (next) next(pool);
      else this.#idle.push(pool);
    }
  }

  cut(): void {
    for (const pool of this.#all) pool.cut();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((pool) => pool.close()));
  }

  #take(signal: AbortSignal): Promise<Pool> {
    signal.throwIfAborted();
    const idle = this.#idle.pop();
    if (idle) return Promise.resolve(idle);
    if (this.#all.length < this.#most) {
      const pool = this.#open();
      this.#all.push(pool);
      return Promise.resolve(pool);
    }
    return new Promise((resolve, reject) => {
      const take = (pool: Pool) => {
        signal.removeEventListener('abort', leave);
        resolve(pool);
      };
      const leave = () => {
        this.#line.splice(this.#line.indexOf(take), 1);
        reject(signal.reason);
      };
      this.#line.push(take);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}

// Which blocks of the product an input reaches, by V8's own precise coverage: what makes the search a guided one. (Jazzer.js
// would be the library for this; its engine needs a newer C library than Debian 12 has, and it instruments CommonJS.)

import { Session } from 'node:inspector/promises';

const product = /\/(src|machines|otel)\/[^?]*\.ts$/;

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** How many blocks were reached in all. */
  get blocks(): number {
    return this.#seen.size;
  }

  /** @returns how many blocks were reached for the first time since the last call */
  async fresh(): Promise<number> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const before = this.#seen.size;
    for (const { url, functions } of result) {
      if (!product.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          // How often, in powers of two: a loop that turns more often is another behaviour.
          if (count > 0)
            this.#seen.add(`${url} ${startOffset} ${endOffset} ${Math.min(8, Math.floor(Math.log2(count)))}`);
        }
      }
    }
    return this.#seen.size - before;
  }

  stop(): void {
    this.#session.disconnect();
  }
}

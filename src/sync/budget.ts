// How much one run takes from a fabric at the most: what is read may all have to be kept until the commit.
//
//   B1. Counted over the whole run. Each answer is bounded already; that there is always another one is not.
//   B2. A pass that broke counts as well: a fabric that breaks every list must not be given the budget anew each time.

import { FabricFailure } from '../../machines/fabric/failure.ts';

/** What is small is not cheap: an object costs about as much again in memory as a KiB of it. */
const bytesAnObject = 1024;

export class Budget {
  readonly #bytesMax: number;
  #bytes = 0;
  #objects = 0;

  /** @param bytesMax of lists, as received; an object may be taken for each KiB of it */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * To be asked before a page is used.
   *
   * @param label the list that it is of, for people
   * @throws FabricFailure `BODY_TOO_LARGE` where the run has had more than it may
   */
  take(label: string, page: { readonly bytes: number; readonly items: readonly unknown[] }): void {
    this.#bytes += page.bytes;
    this.#objects += page.items.length;
    const objectsMax = Math.floor(this.#bytesMax / bytesAnObject);
    if (this.#bytes > this.#bytesMax) throw this.#usedUp(label, `${this.#bytesMax} bytes`);
    if (this.#objects > objectsMax) throw this.#usedUp(label, `${objectsMax} objects`);
  }

  #usedUp(label: string, most: string): FabricFailure {
    return new FabricFailure('BODY_TOO_LARGE', `the lists up to that of ${label} have more than ${most} together`, {
      hint: 'Raise FABRIC_SYNCD_RUN_BYTES_MAX if the fabric is that large, or take kinds out: fabric-syncd fabric set NAME --kinds -KIND.',
      facts: { kind: label, bytes: this.#bytes, objects: this.#objects },
    });
  }
}

// The input in hand, where another thread sees it: a thread that hangs can tell nobody what it was given.
//
//   [number of the input, its length, 1 while it is read] and then its bytes.

import { inputBytesMax } from './limits.ts';

const headBytes = 12;

export class Board {
  readonly shared: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(shared = new SharedArrayBuffer(headBytes + inputBytesMax)) {
    this.shared = shared;
    this.#head = new Int32Array(shared, 0, 3);
    this.#bytes = new Uint8Array(shared, headBytes);
  }

  begin(input: Uint8Array): void {
    this.#bytes.set(input.subarray(0, inputBytesMax));
    Atomics.store(this.#head, 1, Math.min(input.length, inputBytesMax));
    Atomics.add(this.#head, 0, 1);
    Atomics.store(this.#head, 2, 1);
  }

  end(): void {
    Atomics.store(this.#head, 2, 0);
  }

  /** The number of the input that is being read; null between two. */
  get inHand(): number | null {
    return Atomics.load(this.#head, 2) === 1 ? Atomics.load(this.#head, 0) : null;
  }

  /** The newest. */
  input(): Buffer {
    return Buffer.from(this.#bytes.slice(0, Atomics.load(this.#head, 1)));
  }
}

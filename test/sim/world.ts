// Virtual time, and everything that is going to happen in it.
//
//   V1. One thing happens at a time, in order of time and then of asking; all that follows from it by itself (promises)
//       has happened before the next one.
//   V2. Time moves only from one happening to the next. Nothing here reads a real clock.
//   V3. Whatever happened is in the digest: two runs that differ anywhere have different ones.

interface Happening {
  readonly atUs: number;
  readonly order: number;
  act: (() => unknown) | null;
}

/** Lines of the story that are kept: the newest. */
const storyMax = 20_000;
/** Steps in one turn of the event loop. */
const stepsAtOnce = 16;

export class World {
  /** Epoch milliseconds at which every world begins. */
  readonly startMs: number = Date.UTC(2026, 0, 2);
  readonly #heap: Happening[] = [];
  readonly #story: string[] = [];
  #nowUs = 0;
  #order = 0;
  #steps = 0;
  #owesTurn = false;
  #hash = [0x811c9dc5, 0xc9dc5811];
  /** Called after each step, with all that followed from it. */
  onStep: () => void = () => {};

  /** Milliseconds since the beginning, with three decimals. */
  get nowMs(): number {
    return this.#nowUs / 1_000;
  }

  get steps(): number {
    return this.#steps;
  }

  get digest(): string {
    return this.#hash.map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /** What was told, with the time of each line; the newest where it is long. */
  get story(): readonly string[] {
    return this.#story;
  }

  /** @returns takes it back */
  in(ms: number, act: () => unknown): () => void {
    const atUs = this.#nowUs + Math.max(0, Math.round(ms * 1_000));
    const happening: Happening = { atUs, order: this.#order++, act };
    this.#push(happening);
    return () => {
      happening.act = null;
    };
  }

  /** Goes into the digest, and nowhere else. */
  note(what: string): void {
    let [one = 0, two = 0] = this.#hash;
    one = Math.imul(one ^ this.#nowUs, 0x01000193);
    for (let i = 0; i < what.length; i++) {
      const code = what.charCodeAt(i);
      one = Math.imul(one ^ code, 0x01000193);
      two = Math.imul((two << 5) ^ (two >>> 27) ^ code, 0x85ebca6b);
    }
    this.#hash = [one, two];
  }

  /** A line for whoever reads how it came to what it came to. */
  tell(line: string): void {
    this.note(line);
    this.#story.push(`${clockText(this.nowMs)} ${line}`);
    if (this.#story.length > storyMax) this.#story.splice(0, storyMax / 2);
  }

  /** Lets time pass until then, or until `isOver`. Rejects with what a happening throws. */
  run(untilMs: number, isOver: () => boolean): Promise<void> {
    const untilUs = Math.round(untilMs * 1_000);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let began = false;
    let ended = false;
    const end = (how: () => void) => {
      ended = true;
      how();
    };
    // Node empties its queues of promises between two of these: so all that follows has happened at the next (V1).
    const step = (isLast: boolean) => {
      if (ended) return;
      if (!this.#owesTurn) {
        if (began) this.onStep();
        const next = isOver() ? null : this.#next(untilUs);
        if (next === null) {
          if (!isOver()) this.#nowUs = untilUs;
          return end(resolve);
        }
        began = true;
        this.#steps++;
        try {
          const following = next();
          if (following instanceof Promise) following.catch((thrown: unknown) => end(() => reject(thrown)));
        } catch (thrown) {
          return end(() => reject(thrown));
        }
      }
      if (!isLast) return;
      this.#owesTurn = false;
      batch();
    };
    const batch = () => {
      for (let left = stepsAtOnce; left > 0; left--) setImmediate(step, left === 1);
    };
    batch();
    return promise;
  }

  /** What follows from this step takes a turn of the event loop: the next one waits for it. */
  oweTurn(): void {
    this.#owesTurn = true;
  }

  #next(untilUs: number): (() => unknown) | null {
    for (let next = this.#heap[0]; next && next.atUs <= untilUs; next = this.#heap[0]) {
      this.#pop();
      if (!next.act) continue;
      this.#nowUs = next.atUs;
      return next.act;
    }
    return null;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let place = heap.push(happening) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (!above || !isBefore(happening, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let least = 2 * place + 1;
      const [left, right] = [heap[least], heap[least + 1]];
      if (!left) break;
      if (right && isBefore(right, left)) least++;
      const below = heap[least];
      if (!below || !isBefore(below, last)) break;
      heap[place] = below;
      place = least;
    }
    heap[place] = last;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.order < other.order);
}

/** `0:12:03.456` */
export function clockText(ms: number): string {
  const whole = Math.floor(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes, seconds] = [
    Math.floor(whole / 3_600_000),
    Math.floor(whole / 60_000) % 60,
    (whole / 1e3) % 60,
  ];
  return `${hours}:${two(minutes)}:${two(Math.floor(seconds))}.${String(whole % 1_000).padStart(3, '0')}`;
}

// How many fabrics may run at once, and who is next.
//
//   C1. Never more than `capacity` runs; never more than half of them (at least one) for fabrics in trouble, so that
//       dead fabrics, however many, cannot keep the healthy ones waiting.
//   C2. A person comes first, then what is due, then what is in trouble; but nobody starves: after so many grants that
//       passed a waiting class over, that class is served once.
//   C3. A fabric waits or runs once: asking again while it waits changes nothing, except that a person's asking counts.

export type SlotClass = 'manual' | 'periodic' | 'trouble';

const classes = ['manual', 'periodic', 'trouble'] as const;
/** How often a class may be passed over while somebody of it waits. */
const passedOverMax: Readonly<Record<SlotClass, number>> = { manual: 0, periodic: 4, trouble: 8 };

interface Waiting {
  readonly fabricId: string;
  readonly grant: () => void;
}

export class Slots {
  readonly capacity: number;
  readonly #troubleMax: number;
  readonly #running = new Map<string, SlotClass>();
  readonly #waiting: Record<SlotClass, Map<string, Waiting>> = {
    manual: new Map(),
    periodic: new Map(),
    trouble: new Map(),
  };
  readonly #onFree = new Set<() => void>();
  #troubleRunning = 0;
  readonly #passedOver: Record<SlotClass, number> = { manual: 0, periodic: 0, trouble: 0 };

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#troubleMax = Math.max(1, Math.floor(capacity / 2));
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.manual.size + this.#waiting.periodic.size + this.#waiting.trouble.size;
  }

  /** How many wait, by class. */
  get queue(): Readonly<Record<SlotClass, number>> {
    const { manual, periodic, trouble } = this.#waiting;
    return { manual: manual.size, periodic: periodic.size, trouble: trouble.size };
  }

  /** How many more timers it makes sense to claim: what can run now, not counting who waits already. */
  get room(): number {
    return Math.max(0, this.capacity - this.running - this.#waiting.manual.size - this.#waiting.periodic.size);
  }

  has(fabricId: string): boolean {
    return this.#running.has(fabricId);
  }

  /** It has asked and was not granted yet. */
  waits(fabricId: string): boolean {
    return this.#classWaiting(fabricId) !== undefined;
  }

  /** Calls `grant` when the fabric may run: at once, or when its turn comes. */
  ask(fabricId: string, slotClass: SlotClass, grant: () => void): void {
    if (this.#running.has(fabricId)) return;
    const already = this.#classWaiting(fabricId);
    if (already === slotClass || (already && slotClass !== 'manual')) return;
    if (already) this.#waiting[already].delete(fabricId);
    this.#waiting[slotClass].set(fabricId, { fabricId, grant });
    this.#serve();
  }

  /** The fabric's run is over, or it does not want to run any more. */
  release(fabricId: string): void {
    const held = this.#running.get(fabricId);
    const waited = this.#classWaiting(fabricId);
    if (waited) this.#waiting[waited].delete(fabricId);
    if (!held) return;
    this.#running.delete(fabricId);
    if (held === 'trouble') this.#troubleRunning--;
    this.#serve();
    for (const tell of this.#onFree) tell();
  }

  /** Calls back whenever a run ends. Returns "stop listening". */
  onFree(tell: () => void): () => void {
    this.#onFree.add(tell);
    return () => this.#onFree.delete(tell);
  }

  #classWaiting(fabricId: string): SlotClass | undefined {
    return classes.find((one) => this.#waiting[one].has(fabricId));
  }

  #serve(): void {
    while (this.running < this.capacity) {
      const slotClass = this.#nextClass();
      const waiting = slotClass && this.#waiting[slotClass].values().next().value;
      if (!slotClass || !waiting) return;
      this.#waiting[slotClass].delete(waiting.fabricId);
      this.#running.set(waiting.fabricId, slotClass);
      if (slotClass === 'trouble') this.#troubleRunning++;
      for (const one of classes) {
        this.#passedOver[one] = one === slotClass || this.#waiting[one].size === 0 ? 0 : this.#passedOver[one] + 1;
      }
      waiting.grant();
    }
  }

  #nextClass(): SlotClass | null {
    const ready = classes.filter(
      (one) => this.#waiting[one].size > 0 && (one !== 'trouble' || this.#troubleRunning < this.#troubleMax),
    );
    const starving = ready.find((one) => one !== 'manual' && this.#passedOver[one] >= passedOverMax[one]);
    return starving ?? ready[0] ?? null;
  }
}

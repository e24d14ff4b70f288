// `inspect` on a terminal: the stream into a model, the model drawn, keys into what is looked at.
//
//   L1. The terminal is given back however this ends.
//   L2. A daemon that goes away is waited for: what was known stays on the screen, and the head says since when.
//   L3. Drawn at most ten times a second, however much happens; and once a second where nothing does, for the times.

import type { FabricDocument, MachineDocument } from '../../inspector/documents.ts';
import type { Exit } from '../exit-codes.ts';
import { redraw, screen } from '../status-watch.ts';
import type { Call } from '../verb.ts';
import { fabricLines } from './fabric-lines.ts';
import { Refused, readDocument, streamEvents } from './feed.ts';
import { type FleetChoice, fleetLines, shownFabrics, sorts } from './fleet-lines.ts';
import { type Key, listenToKeys } from './keyboard.ts';
import { emptyModel, take } from './model.ts';
import type { Screen } from './screen.ts';

const drawEveryMs = 1_000;
const drawPauseMs = 100;
const againMs = 1_000;
/** Where something was missing in a document. */
const askAgainMs = 3_000;

/** @param named opens with this fabric; undefined: with the fleet */
export async function inspectLive(call: Call, socketPath: string, named: string | undefined): Promise<Exit> {
  const live = new Live(call, socketPath, named ?? null);
  const { world } = call;
  world.stdout.write(screen.enter);
  const stopKeys = listenToKeys(world.stdin, (key) => live.press(key));
  try {
    await live.run();
  } finally {
    stopKeys();
    world.stdout.write(screen.leave);
  }
  return 'done';
}

class Live {
  readonly #call: Call;
  readonly #socketPath: string;
  readonly #model = emptyModel();
  readonly #over = new AbortController();
  #machine: MachineDocument | null = null;
  #choice: FleetChoice = { chosen: null, filter: '', typing: false, sort: 'name' };
  /** Name or number of the fabric that is open; null: the fleet. */
  #open: string | null;
  #scrolled = 0;
  /** Ends the stream in hand, because something else is looked at. */
  #turn = new AbortController();
  /** What goes wrong for good: there is no such fabric, say. */
  #failure: unknown = null;
  #drawn = { atMs: Number.NEGATIVE_INFINITY, cancel: () => {} };
  #cancelAskAgain = () => {};
  #reading = false;
  #readAgain = false;

  constructor(call: Call, socketPath: string, named: string | null) {
    this.#call = call;
    this.#socketPath = socketPath;
    this.#open = named;
  }

  async run(): Promise<void> {
    const { world, signal } = this.#call;
    const end = AbortSignal.any([signal, this.#over.signal]);
    let cancel = () => {};
    const tick = () => {
      cancel = world.clock.after(drawEveryMs, tick);
      this.#draw();
    };
    const resized = () => this.#draw();
    world.stdout.on('resize', resized);
    tick();
    try {
      while (!end.aborted) await this.#listen(end);
    } finally {
      cancel();
      this.#drawn.cancel();
      this.#cancelAskAgain();
      world.stdout.off('resize', resized);
    }
    if (this.#failure) throw this.#failure;
  }

  press(key: Key): void {
    if (key.name === 'quit') this.#over.abort();
    else if (this.#open !== null) this.#pressInFabric(key);
    else if (this.#choice.typing) this.#pressInFilter(key);
    else this.#pressInFleet(key);
    this.#draw();
  }

  /** One stream, until it ends or something else is to be looked at. */
  async #listen(end: AbortSignal): Promise<void> {
    const { clock } = this.#call.world;
    this.#turn = new AbortController();
    const signal = AbortSignal.any([end, this.#turn.signal]);
    try {
      this.#machine ??= await readDocument<MachineDocument>(this.#socketPath, '/api/machine', signal);
      // Of a fabric that was removed nothing is told any more: the fleet is, to go back to.
      const fabric = this.#model.removed === null ? this.#open : null;
      if (fabric !== null) await this.#readFabric(signal);
      for await (const event of streamEvents(this.#socketPath, { fabric, clock }, signal)) {
        take(this.#model, event, clock.nowMs());
        if (fabric !== null && this.#model.removed !== null) this.#turn.abort();
        else if (fabric !== null && event.event !== 'progress') this.#refresh(signal);
        this.#drawSoon();
      }
      this.#lose('it ended the connection');
    } catch (thrown) {
      if (signal.aborted) return;
      if (thrown instanceof Refused && thrown.code.startsWith('NO_SUCH')) {
        this.#model.removed = this.#nameBefore();
        this.#draw();
        if (this.#model.removed !== null) return;
        this.#failure = thrown;
        this.#over.abort();
        return;
      }
      this.#lose(thrown instanceof Error ? thrown.message : String(thrown), thrown instanceof Refused);
    }
    this.#draw();
    await clock.sleep(againMs, end).catch(() => {});
  }

  /** Of the fabric that is open, as it was known before; null where there never was one. */
  #nameBefore(): string | null {
    const fabric = this.#model.opened?.fabric ?? this.#model.fabrics.get(this.#open ?? '');
    return fabric?.name ?? null;
  }

  #lose(why: string, refused = false): void {
    const sinceMs = this.#model.lost?.sinceMs ?? this.#call.world.clock.nowMs();
    this.#model.lost = { sinceMs, why, refused };
  }

  async #readFabric(signal: AbortSignal): Promise<void> {
    const path = `/api/fabrics/${encodeURIComponent(this.#open ?? '')}`;
    const document = await readDocument<FabricDocument>(this.#socketPath, path, signal);
    this.#model.opened = document;
    this.#cancelAskAgain();
    // That Postgres tells the rest again may be no news to the stream, which lacked nothing.
    if (document.parts.postgres.state === 'missing') {
      this.#cancelAskAgain = this.#call.world.clock.after(askAgainMs, () => this.#refresh(signal));
    }
    this.#drawSoon();
  }

  /** Reads the document of the open fabric once more; what comes while that is under way is read by one more. */
  #refresh(signal: AbortSignal): void {
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#reading = true;
    this.#readFabric(signal)
      // The stream tells what is wrong with the daemon.
      .catch(() => {})
      .finally(() => {
        this.#reading = false;
        if (!this.#readAgain || signal.aborted) return;
        this.#readAgain = false;
        this.#refresh(signal);
      });
  }

  #look(at: string | null): void {
    this.#open = at;
    this.#scrolled = 0;
    this.#cancelAskAgain();
    this.#model.opened = null;
    this.#model.removed = null;
    this.#model.progress = null;
    this.#turn.abort();
  }

  #pressInFabric({ name }: Key): void {
    const page = Math.max(1, this.#height() - 12);
    if (name === 'q') this.#over.abort();
    else if (name === 'escape' || name === 'left' || name === 'backspace' || name === 'h') this.#look(null);
    else if (name === 'down' || name === 'j') this.#scrolled++;
    else if (name === 'up' || name === 'k') this.#scrolled = Math.max(0, this.#scrolled - 1);
    else if (name === 'pagedown' || name === 'space') this.#scrolled += page;
    else if (name === 'pageup') this.#scrolled = Math.max(0, this.#scrolled - page);
  }

  #pressInFilter({ name, text }: Key): void {
    const { filter } = this.#choice;
    if (name === 'return') this.#choice = { ...this.#choice, typing: false };
    else if (name === 'escape') this.#choice = { ...this.#choice, typing: false, filter: '' };
    else if (name === 'backspace') this.#choice = { ...this.#choice, filter: filter.slice(0, -1) };
    else this.#choice = { ...this.#choice, filter: filter + text };
  }

  #pressInFleet({ name, text }: Key): void {
    const { sort } = this.#choice;
    const page = Math.max(1, this.#height() - 8);
    if (name === 'q') this.#over.abort();
    else if (name === 'down' || name === 'j') this.#step(1);
    else if (name === 'up' || name === 'k') this.#step(-1);
    else if (name === 'pagedown' || name === 'space') this.#step(page);
    else if (name === 'pageup') this.#step(-page);
    else if (name === 'home' || text === 'g') this.#step(Number.NEGATIVE_INFINITY);
    else if (name === 'end' || text === 'G') this.#step(Number.POSITIVE_INFINITY);
    else if (text === '/') this.#choice = { ...this.#choice, typing: true };
    else if (name === 'escape') this.#choice = { ...this.#choice, filter: '' };
    else if (name === 's') {
      this.#choice = { ...this.#choice, sort: sorts[(sorts.indexOf(sort) + 1) % sorts.length] ?? sort };
    } else if (name === 'return' || name === 'right' || name === 'l') {
      const chosen = this.#step(0);
      if (chosen !== null) this.#look(chosen);
    }
  }

  /** @returns the id of the fabric that is chosen now; null where none is shown */
  #step(by: number): string | null {
    const shown = shownFabrics(this.#model, this.#choice);
    const now = Math.max(
      0,
      shown.findIndex(({ id }) => id === this.#choice.chosen),
    );
    const at = Math.max(0, Math.min(shown.length - 1, now + by));
    const chosen = shown[at]?.id ?? null;
    this.#choice = { ...this.#choice, chosen };
    return chosen;
  }

  #height(): number {
    const { stdout } = this.#call.world;
    return 'rows' in stdout && typeof stdout.rows === 'number' && stdout.rows > 1 ? stdout.rows : 24;
  }

  #drawSoon(): void {
    const { clock } = this.#call.world;
    const waitMs = this.#drawn.atMs + drawPauseMs - clock.monotonicMs();
    if (waitMs <= 0) this.#draw();
    else {
      this.#drawn.cancel();
      this.#drawn.cancel = clock.after(waitMs, () => this.#draw());
    }
  }

  #draw(): void {
    if (this.#over.signal.aborted) return;
    const { world, out } = this.#call;
    const height = this.#height();
    const ourMs = world.clock.nowMs();
    const at = { width: world.columns() ?? 80, height, paint: out.paint, nowMs: ourMs + this.#model.aheadMs, ourMs };
    const lines = this.#open === null ? fleetLines(this.#model, this.#choice, at) : this.#fabricLines(at);
    this.#drawn.cancel();
    this.#drawn.atMs = world.clock.monotonicMs();
    world.stdout.write(redraw(lines, height));
  }

  #fabricLines(at: Screen): string[] {
    const drawn = fabricLines(this.#model, { machine: this.#machine, scrolled: this.#scrolled }, at);
    this.#scrolled = Math.min(this.#scrolled, drawn.scrolledMax);
    return drawn.lines;
  }
}

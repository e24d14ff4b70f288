// What a verb says, and where.
//
//   O1. With `--json`, standard output carries exactly one document and nothing else (a stream: one a line); words for
//       people are dropped.
//   O2. Without it, `document` prints nothing: a verb calls both and need not ask which is wanted.
//   O3. Standard output is the answer; standard error is what is said beside it.

import assert from 'node:assert/strict';
import { type Paint, paintFor } from './colours.ts';
import { displayWidth, plain } from './plain-text.ts';
import { type Cell, type Column, formatTable } from './table.ts';
import type { World } from './world.ts';

export class Output {
  readonly json: boolean;
  readonly paint: Paint;
  readonly #world: World;
  #printed = false;
  #isStream = false;

  constructor(world: World, json: boolean) {
    this.#world = world;
    this.json = json;
    this.paint = paintFor(world.isTerminal.stdout, world.env);
  }

  /** A document was printed. */
  get printed(): boolean {
    return this.#printed;
  }

  /** The verb writes documents itself, one a line, for as long as it is left to: who ends it ends it in order. */
  get isStream(): boolean {
    return this.#isStream;
  }

  startStream(): void {
    this.#isStream = true;
  }

  /** The one JSON document (O1). Keys are snake_case; times are RFC 3339 strings in UTC. */
  document(value: object): void {
    if (!this.json) return;
    assert(!this.#printed, 'a verb prints one document');
    this.#printed = true;
    // A person who reads JSON on a terminal gets it indented; a program gets one line.
    this.#world.stdout.write(`${JSON.stringify(value, null, this.#world.isTerminal.stdout ? 2 : undefined)}\n`);
  }

  /** A line of the answer, for people. Data in it is the caller's to make `plain`. */
  say(line = ''): void {
    if (!this.json) this.#world.stdout.write(`${line}\n`);
  }

  /** Text of the answer as it is (a manifest, a script), for people and for pipes alike. */
  text(text: string): void {
    if (!this.json) this.#world.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    if (this.json) return;
    const widthMax = this.#world.columns();
    for (const line of formatTable(columns, rows, { widthMax, paint: this.paint })) this.say(line);
  }

  /** Label and value, a line each, values aligned. */
  facts(facts: readonly (readonly [label: string, value: Cell])[]): void {
    const width = Math.max(0, ...facts.map(([label]) => displayWidth(label)));
    for (const [label, value] of facts) {
      const text = plain(value === null ? '-' : typeof value === 'object' ? value.text : String(value));
      const painted = value !== null && typeof value === 'object' ? this.paint(value.colour, text) : text;
      this.say(`${this.paint('dim', label.padEnd(width))}  ${painted}`.trimEnd());
    }
  }

  /** A line beside the answer, on standard error: progress, a warning, what to do next. */
  note(line: string): void {
    if (!this.json) this.#world.stderr.write(`${line}\n`);
  }
}

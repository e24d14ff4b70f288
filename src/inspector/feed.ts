// What has happened, as a numbered stream: who comes back after a short absence is told what was missed.
//
//   F1. Ids are `<boot>-<n>`: n grows by one with each message that is kept, and boot tells this daemon from its former
//       self. After a gap in what was watched (`forget`) no older id is known any more.
//   F2. Bounded in number and bytes; the oldest gives way.
//   F3. Messages about one list of a run (`progress`) have no id and are not kept: the next document tells them anyway.

import type { StreamMessages } from './documents.ts';

export interface FeedMessage {
  /** As it goes out: `event:`, `id:` and `data:` lines with the empty line. */
  readonly text: string;
  /** Null: it concerns everybody. */
  readonly fabricId: string | null;
  /** Told only to who watches this very fabric. */
  readonly closeUp: boolean;
}

export interface FeedLimits {
  readonly messagesMax: number;
  readonly charactersMax: number;
}

export const feedLimitsDefault: FeedLimits = { messagesMax: 20_000, charactersMax: 16 * 1024 * 1024 };

export class Feed {
  readonly #boot: string;
  readonly #limits: FeedLimits;
  readonly #kept: FeedMessage[] = [];
  /** Number of the first one that is kept. */
  #first = 1;
  #characters = 0;
  readonly #listeners = new Set<(message: FeedMessage) => void>();

  constructor(boot: string, limits: FeedLimits = feedLimitsDefault) {
    this.#boot = boot;
    this.#limits = limits;
  }

  /** Of the last message. */
  get id(): string {
    return `${this.#boot}-${this.#first + this.#kept.length - 1}`;
  }

  /** @param json the message, written once for everybody */
  tell(event: Exclude<keyof StreamMessages, 'snapshot' | 'progress'>, json: string, fabricId: string | null): void {
    const id = `${this.#boot}-${this.#first + this.#kept.length}`;
    const message = { text: eventText(event, json, id), fabricId, closeUp: false };
    this.#kept.push(message);
    this.#characters += message.text.length;
    while (this.#kept.length > this.#limits.messagesMax || this.#characters > this.#limits.charactersMax) this.#drop();
    this.#send(message);
  }

  tellProgress(json: string, fabricId: string): void {
    this.#send({ text: eventText('progress', json, null), fabricId, closeUp: true });
  }

  /** What came after this id; null where that is not known (any more). */
  since(id: string): readonly FeedMessage[] | null {
    const [, boot, digits] = /^([0-9a-z]+)-([0-9]{1,15})$/.exec(id) ?? [];
    if (boot !== this.#boot) return null;
    const at = Number(digits) + 1 - this.#first;
    return at < 0 || at > this.#kept.length ? null : this.#kept.slice(at);
  }

  /** What happens from here on is not connected with what is kept (F1). */
  forget(): void {
    this.#first += this.#kept.length + 1;
    this.#kept.length = 0;
    this.#characters = 0;
  }

  /** `hear` must not throw. @returns "stop listening" */
  listen(hear: (message: FeedMessage) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  #drop(): void {
    this.#characters -= this.#kept.shift()?.text.length ?? 0;
    this.#first += 1;
  }

  #send(message: FeedMessage): void {
    for (const hear of this.#listeners) hear(message);
  }
}

/** One event as server-sent events have it; JSON has no line end in it. */
export function eventText(event: keyof StreamMessages, json: string, id: string | null): string {
  return `event: ${event}\n${id === null ? '' : `id: ${id}\n`}data: ${json}\n\n`;
}

// The stream of changes, as server-sent events, to every browser and terminal that watches.
//
//   W1. Whoever comes back with an id that is still known is told what was missed; anybody else gets a snapshot first.
//   W2. A client that reads too slowly is cut off at `backlogBytesMax` (beside its own snapshot), so that it can never grow
//       our memory; it comes back and catches up.
//   W3. There are never more than `watchersMax`; one more is told so.

import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import { Refusal } from './answers.ts';
import { eventText, type Feed, type FeedMessage } from './feed.ts';
import type { Live } from './live.ts';

export interface StreamsDeps {
  readonly live: Live;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly watchersMax?: number;
  readonly backlogBytesMax?: number;
}

/** What a client asked for. */
export interface Wanted {
  /** The last id that it has; null where it has none. */
  readonly after: string | null;
  /** Name or number; null: every fabric. */
  readonly fabric: string | null;
}

const heartbeatMs = 15_000;
/** How long a browser waits before it comes back. */
const comeBackMs = 2_000;

export class Streams {
  readonly #deps: Required<StreamsDeps>;
  readonly #open = new Set<ServerResponse>();
  #stopHeart: () => void = () => {};

  constructor(deps: StreamsDeps) {
    this.#deps = { watchersMax: 32, backlogBytesMax: 2 * 1024 * 1024, ...deps };
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * Takes the response over.
   * @throws Refusal before anything was written
   */
  async serve(response: ServerResponse, wanted: Wanted): Promise<void> {
    const { live, watchersMax } = this.#deps;
    if (this.#open.size >= watchersMax) {
      throw new Refusal(
        503,
        'TOO_MANY_WATCHERS',
        `${watchersMax} watch already, and there is room for no more`,
        'Close a page of the inspector that nobody looks at.',
      );
    }
    this.#open.add(response);
    if (this.#open.size === 1) this.#beat();
    const { ready, release } = live.watch();
    const over = new AbortController();
    response.once('close', () => {
      over.abort();
      release();
      this.#open.delete(response);
      if (this.#open.size === 0) this.#stopHeart();
    });
    response.on('error', () => response.destroy());
    await ready;
    if (over.signal.aborted) return;
    const only = wanted.fabric === null ? null : live.find(wanted.fabric)?.view.id;
    if (only === undefined) throw Refusal.noSuchFabric(wanted.fabric ?? '', live.parts());
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: ${comeBackMs}\n\n`);
    this.#follow(response, wanted.after, only, over.signal);
  }

  /** Ends every stream. */
  stop(): void {
    this.#stopHeart();
    for (const response of this.#open) response.end();
  }

  /** From here on nothing may be awaited: what is told first and what follows must join without a gap. */
  #follow(response: ServerResponse, after: string | null, only: string | null, over: AbortSignal): void {
    const { feed, backlogBytesMax } = this.#deps;
    const concerns = ({ fabricId, closeUp }: FeedMessage) =>
      fabricId === null || (only === null ? !closeUp : fabricId === only);
    const missed = after === null ? null : feed.since(after);
    const first = missed ? missed.filter(concerns).map(({ text }) => text) : [this.#snapshot(only)];
    let most = backlogBytesMax;
    for (const text of first) {
      most += text.length;
      response.write(text);
    }
    const stop = feed.listen((message) => {
      if (!concerns(message)) return;
      response.write(message.text);
      if (response.writableLength > most) response.destroy();
      // What it was given to begin with has been read: from here on the bound is the bound.
      else if (response.writableLength === 0) most = backlogBytesMax;
    });
    over.addEventListener('abort', stop, { once: true });
  }

  #snapshot(only: string | null): string {
    const fleet = this.#deps.live.fleet();
    const fabrics = only === null ? fleet.fabrics : fleet.fabrics.filter(({ id }) => id === only);
    return eventText('snapshot', JSON.stringify({ ...fleet, fabrics }), fleet.id);
  }

  #beat(): void {
    this.#stopHeart = this.#deps.clock.after(heartbeatMs, () => {
      for (const response of this.#open) if (response.headersSent) response.write(': still here\n\n');
      this.#beat();
    });
  }
}

// What happens, as the daemon tells it, over one connection that is opened again for as long as the page is open.
//
//   S1. One connection a page: a browser opens few to one host, and a person opens many pages.
//   S2. After a break it goes on behind the last message that was heard; what the daemon no longer knows comes whole, as
//       a `snapshot`.
//   S3. A snapshot that came while one fabric was listened to holds that one alone: the fleet is asked for whole after it.
//       Which of the two it is only the stream knows: the view may name a fabric that is not there (any more), and all
//       are listened to.
//   S4. A page that nobody sees lets go of its connection, whatever else happens meanwhile, and catches up when it is
//       looked at. One that waits to connect again needs no connection until then.

import { after } from './server-clock.js';

/** @import { StreamMessages } from '../documents.ts' */

/**
 * @typedef {'connecting' | 'live' | 'lost' | 'resting'} Connection `resting`: nobody looks (S4)
 * @typedef {{ [Name in keyof StreamMessages]: { type: Name, message: StreamMessages[Name] } }[keyof StreamMessages]} Heard
 */

/** @type {readonly (keyof StreamMessages)[]} */
const names = ['snapshot', 'fabric', 'gone', 'parts', 'transition', 'progress', 'run'];
const waitMs = { first: 500, most: 5_000 };
/** A glance at another tab costs nothing. */
const unseenMs = 30_000;

export class Stream {
  #hear;
  #onConnection;
  /** @type {EventSource | null} */
  #source = null;
  /** Ends the wait for the next attempt to connect. @type {() => void} */
  #stopWaiting = () => {};
  /** Takes back that it will rest: beside the other, because a connection comes and goes meanwhile (S4). @type {() => void} */
  #stayAwake = () => {};
  #waitMs = waitMs.first;
  #visible = true;
  /** @type {string | null} */
  #fabric = null;
  /** The last message of the whole fleet, and of the fabric alone. @type {{ fleet: string | null, fabric: string | null }} */
  #last = { fleet: null, fabric: null };

  /**
   * @param {{ hear: (heard: Heard, whole: boolean) => void, onConnection: (connection: Connection) => void }} listener
   * `whole`: it was told to who listens to the whole fleet (S3)
   */
  constructor({ hear, onConnection }) {
    this.#hear = hear;
    this.#onConnection = onConnection;
  }

  /**
   * Listens to this fabric alone, with its progress; or to the whole fleet.
   * @param {string | null} fabric
   */
  open(fabric) {
    if ((this.#source || this.#rests) && fabric === this.#fabric) return;
    // The fabric's own messages are a part of the fleet's: behind these it goes on, and never the other way round.
    if (fabric !== null) this.#last.fabric = this.#last.fleet;
    this.#fabric = fabric;
    this.#waitMs = waitMs.first;
    if (!this.#rests) this.#connect();
  }

  /** Opens it at once where it waits to be opened again. */
  hurry() {
    if (this.#rests || this.#source?.readyState === EventSource.OPEN) return;
    this.#waitMs = waitMs.first;
    this.#connect();
  }

  /** S4. @param {boolean} visible */
  seen(visible) {
    this.#visible = visible;
    this.#stayAwake();
    if (visible) {
      if (!this.#source) this.#connect();
    } else if (this.#source) this.#stayAwake = after(unseenMs, () => this.#rest());
    else this.#rest();
  }

  get #rests() {
    return !this.#visible && !this.#source;
  }

  #rest() {
    this.#close();
    this.#onConnection('resting');
  }

  #connect() {
    this.#close();
    const asked = new URLSearchParams();
    const last = this.#fabric === null ? this.#last.fleet : this.#last.fabric;
    if (last !== null) asked.set('after', last);
    if (this.#fabric !== null) asked.set('fabric', this.#fabric);
    const source = new EventSource(`/api/events?${asked}`);
    this.#source = source;
    source.addEventListener('open', () => {
      this.#waitMs = waitMs.first;
      this.#onConnection('live');
    });
    source.addEventListener('error', () => this.#lost(source));
    for (const name of names) {
      source.addEventListener(name, (event) => this.#told(name, /** @type {MessageEvent<string>} */ (event)));
    }
  }

  /** @param {keyof StreamMessages} type @param {MessageEvent<string>} event */
  #told(type, event) {
    const message = JSON.parse(event.data);
    const id = event.lastEventId || (type === 'snapshot' ? message.id : '');
    if (id !== '') {
      if (this.#fabric === null) this.#last.fleet = id;
      else if (type === 'snapshot') this.#last.fleet = null;
      this.#last.fabric = id;
    }
    this.#hear(/** @type {Heard} */ ({ type, message }), this.#fabric === null);
  }

  /** @param {EventSource} source */
  #lost(source) {
    if (source !== this.#source) return;
    if (!this.#visible) {
      this.#rest();
      return;
    }
    this.#close();
    this.#onConnection('lost');
    this.#stopWaiting = after(this.#waitMs, () => this.#connect());
    this.#waitMs = Math.min(2 * this.#waitMs, waitMs.most);
  }

  #close() {
    this.#stopWaiting();
    this.#source?.close();
    this.#source = null;
  }
}

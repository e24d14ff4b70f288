// One viewer at the other end of a WebSocket, and what it has been told.
//
//   V1. A fabric's statechart comes before anything that happens to it, and once.
//   V2. A viewer that reads too slowly is cut off at `backlogBytesMax`: it comes again and is told everything anew.

import type { WebSocket } from 'ws';
import type { Clock } from '../../clock.ts';
import {
  actorMessage,
  type FabricMember,
  type FabricMoved,
  type StatelyMessage,
  transitionMessages,
} from './messages.ts';

const backlogBytesMax = 4 * 1024 * 1024;

export class StatelyClient {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #known = new Set<string>();

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Each as the viewer takes the one before: the statecharts of a thousand fabrics are many megabytes. */
  introduce(members: readonly FabricMember[], from = 0): void {
    let at = from;
    while (at < members.length && this.#known.has(members[at]?.fabricId ?? '')) at++;
    const next = members[at];
    if (!next || this.#socket.readyState !== this.#socket.OPEN) return;
    this.#introduce(next, () => this.introduce(members, at + 1));
  }

  moved(moved: FabricMoved): void {
    if (!this.#known.has(moved.fabricId)) this.#introduce({ ...moved, path: moved.to });
    for (const message of transitionMessages(moved, this.#clock.nowMs())) this.#send(message);
  }

  #introduce(member: FabricMember, taken?: () => void): void {
    this.#known.add(member.fabricId);
    this.#send(actorMessage(member, this.#clock.nowMs()), taken);
  }

  #send(message: StatelyMessage, taken?: () => void): void {
    this.#socket.send(JSON.stringify(message), () => taken?.());
    if (this.#socket.bufferedAmount > backlogBytesMax) this.#socket.terminate();
  }
}

// The sockets of one pool: opened at the hosts of its address by turns, and cut where they do not answer.
//
//   K1. Which of them are still open is asked of themselves: under TLS the driver takes every listener off them.
//   K2. Under TLS the driver writes to a socket of its own around ours. Cutting ours alone would leave it to write to nothing,
//       and to fail where nobody listens any more: what it has is ended by `signal`, first.

import { connect, type Socket } from 'node:net';
import type { DatabaseHost } from './address.ts';

export class Sockets {
  readonly #hosts: readonly [DatabaseHost, ...DatabaseHost[]];
  readonly #hostOf = new Map<Socket, DatabaseHost>();
  #turn = 0;
  #ends = new AbortController();
  /** Where the next one goes, out of turn. */
  #next: DatabaseHost | null = null;

  constructor(hosts: readonly [DatabaseHost, ...DatabaseHost[]]) {
    this.#hosts = hosts;
  }

  /** For the driver. By turns where the URL names several hosts: it goes on to the next until one takes writes. */
  open(): Socket {
    const at = this.#next ?? this.#hosts[this.#turn++ % this.#hosts.length] ?? this.#hosts[0];
    const { host, port } = at;
    const socket = host.startsWith('/') ? connect({ path: `${host}/.s.PGSQL.${port}` }) : connect({ host, port });
    this.#forgetClosed();
    this.#hostOf.set(socket, at);
    // The driver takes the name that a certificate must carry from here.
    return Object.assign(socket, { host });
  }

  /** Of the connections that are opened now: aborts when they are cut (K2). */
  get signal(): AbortSignal {
    return this.#ends.signal;
  }

  /** Open or opening, the oldest first. */
  all(): readonly Socket[] {
    this.#forgetClosed();
    return [...this.#hostOf.keys()];
  }

  /** @param opens sockets at once. @returns those, which went to where the oldest is, whosever turn it was */
  openedBeside(opens: () => void): readonly Socket[] {
    const before = this.all();
    this.#next = (before[0] && this.#hostOf.get(before[0])) ?? null;
    try {
      opens();
    } finally {
      this.#next = null;
    }
    return this.all().filter((socket) => !before.includes(socket));
  }

  cut(): void {
    this.#ends.abort();
    this.#ends = new AbortController();
    for (const socket of this.#hostOf.keys()) socket.destroy();
  }

  #forgetClosed(): void {
    for (const socket of this.#hostOf.keys()) if (socket.destroyed) this.#hostOf.delete(socket);
  }
}

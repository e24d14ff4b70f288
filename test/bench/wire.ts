// A wire between the daemon and a server that counts what goes through it: what the client sends, and how often it has to
// wait for an answer. It is exact, whatever the server's version, and knows no more of the protocols than it takes.
//
//   W1. A round trip: the client wrote, and then the server did. What is written together is one.
//   W2. Redis: a command is an array of bulk strings (RESP2). Postgres: a statement is an Execute or a simple Query;
//       Parse, Bind, Describe, Sync and Close are not.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface WireCounts {
  readonly sent: number;
  readonly roundTrips: number;
  /** Commands by name, or the statements' kinds. */
  readonly byName: Readonly<Record<string, number>>;
}

export interface Wire {
  readonly port: number;
  counts(): WireCounts;
  forget(): void;
  close(): Promise<void>;
}

type Target = { readonly host: string; readonly port: number } | { readonly path: string };
/** Hears the client's bytes of one connection. */
type Reader = (chunk: Buffer, count: (name: string) => void) => void;

export async function openWire(target: Target, reader: () => Reader): Promise<Wire> {
  let sent = 0;
  let roundTrips = 0;
  let byName = new Map<string, number>();
  const count = (name: string) => {
    sent += 1;
    byName.set(name, (byName.get(name) ?? 0) + 1);
  };
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect(target);
    if ('host' in target) upstream.setNoDelay(true);
    const read = reader();
    let asked = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      asked = true;
      read(chunk, count);
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (asked) roundTrips += 1;
      asked = false;
      client.write(chunk);
    });
    client.on('end', () => upstream.end());
    upstream.on('end', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts: () => ({ sent, roundTrips, byName: Object.fromEntries(byName) }),
    forget() {
      sent = 0;
      roundTrips = 0;
      byName = new Map();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Commands as RESP2 arrays: `*N`, then N times `$length` and the bytes. */
export function redisReader(): Reader {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk, count) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let at = 0; ; rest = rest.subarray(at), at = 0) {
      const head = line(rest, at);
      if (!head) return;
      at = head.next;
      const names: string[] = [];
      for (let left = Number(head.text.slice(1)); left > 0; left -= 1) {
        const size = line(rest, at);
        if (!size) return;
        const end = size.next + Number(size.text.slice(1)) + 2;
        if (end > rest.length) return;
        if (names.length === 0) names.push(rest.toString('latin1', size.next, end - 2).toLowerCase());
        at = end;
      }
      count(names[0] ?? '');
    }
  };
}

function line(bytes: Buffer, from: number): { text: string; next: number } | null {
  const end = bytes.indexOf('\r\n', from);
  return end < 0 ? null : { text: bytes.toString('latin1', from, end), next: end + 2 };
}

/** Messages of protocol 3: a type byte and a length, but for the first, which has no type. */
export function postgresReader(): Reader {
  let rest: Buffer = Buffer.alloc(0);
  let begun = false;
  return (chunk, count) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const typed = begun ? 1 : 0;
      if (rest.length < typed + 4) return;
      const end = typed + rest.readInt32BE(typed);
      if (rest.length < end) return;
      if (begun && rest[0] === 0x45) count('execute');
      if (begun && rest[0] === 0x51) count('query');
      begun = true;
      rest = rest.subarray(end);
    }
  };
}

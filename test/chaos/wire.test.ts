// The wire between a daemon and a server, by itself: what chaos does to connections is what it says.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { openWire, type Wire } from './wire.ts';

const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** A server that says everything back, and a wire to it. */
async function echo(): Promise<Wire> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wire = await openWire({ port: (server.address() as AddressInfo).port });
  undo.push(() => server.close());
  undo.push(() => wire.close());
  return wire;
}

async function client(wire: Wire): Promise<Socket> {
  const socket = connect(wire.port, '127.0.0.1');
  undo.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function says(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

test('passes on what it is given, in order, also while it is slow', async () => {
  const wire = await echo();
  const socket = await client(wire);
  expect(await says(socket, 'quick')).toBe('quick');
  wire.slow(30);
  const pieces = Array.from({ length: 20 }, (_, index) => `<${index}>`);
  let heard = '';
  const all = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      if (heard.endsWith('<19>')) resolve();
    });
  });
  for (const [index, piece] of pieces.entries()) {
    socket.write(piece);
    // Quick again in the middle: what is under way is not overtaken.
    if (index === 10) wire.mend();
    await turn();
  }
  await all;
  expect(heard).toBe(pieces.join(''));
});

test('cut, it resets who is connected and who comes, until it is mended', async () => {
  const wire = await echo();
  const socket = await client(wire);
  const reset = once(socket, 'error');
  wire.cut();
  expect((await reset)[0]).toMatchObject({ code: 'ECONNRESET' });
  const late = connect(wire.port, '127.0.0.1');
  undo.push(() => late.destroy());
  late.on('error', () => {});
  // `once` of anything but an error would be ended by the error that comes first.
  await new Promise((resolve) => late.once('close', resolve));
  wire.mend();
  expect(await says(await client(wire), 'again')).toBe('again');
});

test('frozen, it answers nobody and tells nobody; mended, what was said arrives', async () => {
  const wire = await echo();
  const socket = await client(wire);
  expect(await says(socket, 'before')).toBe('before');
  wire.freeze();
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  socket.write('during');
  // Another wire's whole conversation goes by meanwhile.
  expect(await says(await client(await echo()), 'elsewhere')).toBe('elsewhere');
  expect(heard).toBe('');
  const arrived = once(socket, 'data');
  wire.mend();
  await arrived;
  expect(heard).toBe('during');
});

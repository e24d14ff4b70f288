import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { WakeChannel } from '../../../src/redis/wake.ts';
import { startFrozenProxy } from '../../support/frozen-proxy.ts';
import { handClock } from '../../support/hand-clock.ts';
import { connectTo, freshKeys, impatient, meddler, ownRedis, redisFound } from '../../support/redis.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

describe.skipIf(redisFound === null)('the ear for earlier timers', () => {
  test('one that has gone deaf without a word is found out and opened anew, which wakes (E1, E2)', async () => {
    const server = await ownRedis();
    undo.push(() => server.remove());
    const proxy = await startFrozenProxy({ port: server.port });
    undo.push(() => proxy.close());
    const keys = freshKeys();
    const connection = await connectTo(`redis://127.0.0.1:${proxy.port}`, keys, { timeouts: impatient });
    const client = await meddler(server.url);
    const clock = handClock();
    const wake = new WakeChannel(connection, keys.wake, clock);
    undo.push(() => {
      wake.close();
      connection.close();
      client.disconnect();
    });
    let wakes = 0;
    wake.onWake(() => wakes++);
    await expect.poll(() => wakes, { timeout: 20_000 }).toBe(1);
    await client.publish(keys.wake, '1');
    await expect.poll(() => wakes, { timeout: 20_000 }).toBe(2);

    const connections = async () =>
      String(await client.client('LIST'))
        .trim()
        .split('\n').length;
    const before = await connections();
    proxy.freeze();
    // The check finds that nothing is answered: another connection is made while the network is still frozen.
    clock.advance(10_000);
    await expect.poll(connections, { timeout: 20_000 }).toBeGreaterThan(before);
    proxy.thaw();
    await expect.poll(() => wakes, { timeout: 20_000 }).toBe(3);
    await client.publish(keys.wake, '1');
    await expect.poll(() => wakes, { timeout: 20_000 }).toBe(4);
  });

  test('one that may not listen does not storm the server, and does when it may', async () => {
    const server = await ownRedis();
    undo.push(() => server.remove());
    const client = await meddler(server.url);
    await client.call('ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', 'resetchannels', '+@all');
    const keys = freshKeys();
    const connection = await connectTo(`redis://deaf:pw@127.0.0.1:${server.port}`, keys);
    const clock = handClock();
    const wake = new WakeChannel(connection, keys.wake, clock);
    undo.push(() => {
      wake.close();
      connection.close();
      client.disconnect();
    });
    let wakes = 0;
    wake.onWake(() => wakes++);
    const refusals = async () => ((await client.call('ACL', 'LOG')) as string[][]).map((entry) => entry[1]);
    await expect.poll(refusals, { timeout: 20_000 }).toEqual([1]);
    await client.call('ACL', 'SETUSER', 'deaf', 'allchannels');
    await expect
      .poll(
        () => {
          clock.advance(1_000);
          return wakes;
        },
        { timeout: 20_000 },
      )
      .toBe(1);
  });

  test('it is opened again by itself when the server comes back', async () => {
    const server = await ownRedis();
    undo.push(() => server.remove());
    const keys = freshKeys();
    const connection = await connectTo(server.url, keys);
    const wake = new WakeChannel(connection, keys.wake, systemClock);
    undo.push(() => {
      wake.close();
      connection.close();
    });
    let wakes = 0;
    wake.onWake(() => wakes++);
    await expect.poll(() => wakes, { timeout: 20_000 }).toBe(1);
    await server.kill();
    await server.start();
    await expect.poll(() => wakes, { timeout: 20_000 }).toBe(2);
    const client = await meddler(server.url);
    undo.push(() => client.disconnect());
    await client.publish(keys.wake, '1');
    await expect.poll(() => wakes, { timeout: 20_000 }).toBe(3);
  });
});

import { describe, expect, test } from 'vitest';
import { readRedisUrl } from '../../src/redis/address.ts';

test.each([
  ['redis://10.0.0.5', { host: '10.0.0.5', port: 6379, db: 0, tls: false, shown: 'redis://10.0.0.5:6379' }],
  ['redis://r.example:7000/2', { host: 'r.example', port: 7000, db: 2, shown: 'redis://r.example:7000/2' }],
  ['redis://r.example?db=4', { db: 4 }],
  ['rediss://r.example', { tls: true, shown: 'rediss://r.example:6379' }],
  ['redis://[fd00::1]:7000', { host: 'fd00::1', port: 7000, shown: 'redis://[fd00::1]:7000' }],
  ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0, shown: 'unix:///run/redis.sock' }],
  ['unix:///run/redis.sock?db=3', { path: '/run/redis.sock', db: 3, shown: 'unix:///run/redis.sock?db=3' }],
  ['/run/with%20blank.sock', { path: '/run/with blank.sock' }],
])('%s', (url, address) => {
  expect(readRedisUrl(url)).toMatchObject(address);
});

describe('user and password', () => {
  test('are read, with their escapes, and are not shown', () => {
    const address = readRedisUrl('redis://us%40er:p%3Aw@r.example/1');
    expect(address).toMatchObject({ username: 'us@er', password: 'p:w' });
    expect(address.shown).toBe('redis://r.example:6379/1');
  });

  test('may go without a user, and by a Unix socket', () => {
    expect(readRedisUrl('redis://:pw@r.example')).toMatchObject({ username: undefined, password: 'pw' });
    expect(readRedisUrl('unix://:pw@localhost/run/redis.sock')).toMatchObject({
      path: '/run/redis.sock',
      password: 'pw',
    });
  });
});

test.each(['', 'r.example:6379', 'http://r.example', 'redis://r.example/two', 'redis://[::1', 'redis://h:pw%@x'])(
  'refuses %j without quoting it',
  (url) => {
    expect(() => readRedisUrl(url)).toThrow(TypeError);
    try {
      readRedisUrl(url);
    } catch (error) {
      if (url !== '') expect(String(error)).not.toContain(url);
    }
  },
);

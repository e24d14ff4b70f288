// E1 and E2 are those of `src/redis/errors.ts`.

import { inspect } from 'node:util';
import { ReplyError } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { readRedisUrl } from '../../src/redis/address.ts';
import { redisFailure, replyKind } from '../../src/redis/errors.ts';

const address = readRedisUrl('redis://user:hunter2@r.example:7000/1');

describe('a failure of Redis', () => {
  test('has nothing of the client’s error but its words and its code, and no password (E1)', () => {
    const error = Object.assign(new Error('unknown command `HELLO`, with args beginning with: `AUTH` `hunter2`'), {
      code: 'EWHATEVER',
      command: { name: 'hello', args: ['3', 'AUTH', 'user', 'hunter2'] },
    });
    const failure = redisFailure(error, address);
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('hunter2');
    expect(failure).toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      message: expect.stringContaining('Redis at redis://r.example:7000/1 does not answer: unknown command'),
      cause: { code: 'EWHATEVER' },
    });
  });

  test('is one line, however long the answer was', () => {
    const { message } = redisFailure(new Error(`a\nb${'c'.repeat(5_000)}`), address);
    expect(message).not.toContain('\n');
    expect(message.length).toBeLessThan(300);
  });

  test('that has been told already is told as it was', () => {
    const failure = new FabricFailure('REDIS_UNAVAILABLE', 'as told');
    expect(redisFailure(failure, address)).toBe(failure);
  });

  test.each([
    ['OOM command not allowed', 'OOM', 'Redis is full'],
    ['NOAUTH Authentication required.', 'NOAUTH', 'wants a password'],
    ['MOVED 123 10.0.0.1:7001', 'MOVED', 'Redis Cluster'],
    ['NOPERM this user has no permissions', 'NOPERM', 'may not do this'],
  ])('%s: the answer’s first word says what to do (E2)', (text, kind, hint) => {
    const error = new ReplyError(text);
    expect(replyKind(error)).toBe(kind);
    const failure = redisFailure(error, address);
    expect(failure.message).toContain('refuses');
    expect(failure.hint).toContain(hint);
    expect(failure.facts).toEqual({ address: 'redis://r.example:7000/1', reply: kind });
  });

  test('an error that is no answer has no kind, whatever it says', () => {
    expect(replyKind(new Error('OOM'))).toBeNull();
  });
});

import { ReplyError } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { readRedisUrl } from '../../src/redis/address.ts';
import { redisFailure, replyKind } from '../../src/redis/errors.ts';

const sha = '2597e0576dd54eb42864e3a1b8392b96e018bcc3';
/** As Redis 6.2 says it, word for word. */
const inScript62 = (reply: string) =>
  new ReplyError(`ERR Error running script (call to f_${sha}): @user_script:1: ${reply}`);

describe('the kind of a reply', () => {
  test('is its first word', () => {
    expect(replyKind(new ReplyError("OOM command not allowed when used memory > 'maxmemory'."))).toBe('OOM');
    expect(replyKind(new ReplyError('ERR unknown command'))).toBe('ERR');
    expect(replyKind(new ReplyError('what is this'))).toBe('ERR');
  });

  test('is found in a script of Redis 6.2 as well as of a newer one', () => {
    expect(replyKind(new ReplyError('OOM command not allowed. script: x, on @user_script:1.'))).toBe('OOM');
    expect(replyKind(inScript62("@user_script: 1: -OOM command not allowed when used memory > 'maxmemory'."))).toBe(
      'OOM',
    );
    expect(replyKind(inScript62("@user_script: 1: -READONLY You can't write against a read only replica."))).toBe(
      'READONLY',
    );
    expect(replyKind(inScript62('WRONGTYPE Operation against a key holding the wrong kind of value'))).toBe(
      'WRONGTYPE',
    );
    expect(replyKind(inScript62('attempt to index a nil value'))).toBe('ERR');
  });

  test('is none where nobody replied', () => {
    expect(replyKind(new Error('OOM'))).toBeNull();
  });

  test('a Redis that is full is told so, whatever its version', () => {
    const failure = redisFailure(inScript62('@user_script: 1: -OOM command not allowed'), readRedisUrl('redis://h'));
    expect(failure.hint).toContain('Redis is full');
    expect(failure.facts).toMatchObject({ reply: 'OOM' });
  });
});

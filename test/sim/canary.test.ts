// What listens for secrets hears them, however deep they are and in whatever shape.

import { describe, expect, test } from 'vitest';
import { canary, canaryKey, sealedToken, secretIn } from './canary.ts';
import { scenarioOf } from './scenario.ts';
import { simulate } from './simulate.ts';

const secret = canary(1, 'token');

const shapes: readonly (readonly [string, unknown])[] = [
  ['plain', `Bearer ${secret}`],
  ['Base64', Buffer.from(secret).toString('base64')],
  ['Base64 after a letter', Buffer.from(`:${secret}`).toString('base64')],
  ['Base64 after two letters', Buffer.from(`u:${secret}`).toString('base64')],
  ['hex', Buffer.from(secret).toString('hex')],
  ['bytes', Buffer.from(secret)],
  ['the name of a field', { [secret]: 1 }],
  ['a Map', new Map([['token', secret]])],
  ['what an object stands upon', Object.create({ token: secret })],
  ['a message', new Error(secret)],
  ['a cause', new Error('it failed', { cause: new Error('it hung up', { cause: { headers: [secret] } }) })],
  ['what hangs on an error', Object.assign(new Error('it failed'), { request: { authorization: secret } })],
];

describe('a secret is heard', () => {
  test.each(shapes)('as %s', (_, value) => {
    expect(secretIn(value)).not.toBeNull();
    expect(secretIn({ deep: [{ deeper: value }] })).not.toBeNull();
  });
});

test('what is no secret is not: a sealed token, an error, words', () => {
  const sealed = sealedToken(canaryKey(1), '7', secret);
  expect(secretIn([sealed, new Error('it failed', { cause: 'nothing' }), { name: 'lab' }, null, 1])).toBeNull();
});

test('a fabric that repeats the token in its errors is quoted without it', async () => {
  const { violation, story } = await simulate({
    ...scenarioOf(1),
    stormMs: 120_000,
    events: [
      { atMs: 20_000, what: 'fabric', fabric: 0, trouble: { what: 'fails', code: 'SERVER_ERROR' }, ms: 60_000 },
      { atMs: 20_001, what: 'operator', fabric: 0, act: 'trigger', ms: 0 },
    ],
  });
  expect(violation).toBeNull();
  expect(story.join('\n')).toContain('Authorization: Bearer •••');
});

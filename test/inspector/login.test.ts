import { describe, expect, test } from 'vitest';
import { cookieOf, LoginDesk, sessionMs, tokenMs } from '../../src/inspector/login.ts';
import { handClock } from '../support/hand-clock.ts';

function open() {
  const clock = handClock();
  return { clock, desk: new LoginDesk(clock) };
}

describe('the login', () => {
  test('a token opens once, for who asked for it, and each is another', () => {
    const { desk } = open();
    const ann = desk.issue('ann@host');
    const bob = desk.issue('bob@host');
    expect(ann.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(ann.token).not.toBe(bob.token);
    expect(desk.open(bob.token)?.session.who).toBe('bob@host');
    expect(desk.open(bob.token)).toBeNull();
    expect(desk.open(ann.token)?.session.who).toBe('ann@host');
    expect(desk.open('')).toBeNull();
  });

  test('a token that nobody used in time opens nothing', () => {
    const { desk, clock } = open();
    const { token, untilMs } = desk.issue('ann@host');
    expect(untilMs).toBe(clock.nowMs() + tokenMs);
    clock.advance(tokenMs);
    expect(desk.open(token)).toBeNull();
  });

  test('a session ends by itself and by its owner', () => {
    const { desk, clock } = open();
    const first = desk.open(desk.issue('ann@host').token);
    const second = desk.open(desk.issue('ann@host').token);
    desk.close(second?.secret ?? '');
    expect(desk.session(second?.secret ?? '')).toBeNull();
    clock.advance(sessionMs - 1);
    expect(desk.session(first?.secret ?? '')?.who).toBe('ann@host');
    clock.advance(1);
    expect(desk.session(first?.secret ?? '')).toBeNull();
    expect(desk.session(null)).toBeNull();
  });

  test('the oldest token and the oldest session give way', () => {
    const { desk } = open();
    const oldest = desk.issue('ann@host').token;
    for (let i = 0; i < 16; i++) desk.issue('flood');
    expect(desk.open(oldest)).toBeNull();
    const session = desk.open(desk.issue('ann@host').token);
    for (let i = 0; i < 32; i++) desk.open(desk.issue('flood').token);
    expect(desk.session(session?.secret ?? '')).toBeNull();
  });
});

test.each([
  [undefined, null],
  ['', null],
  ['a=1', '1'],
  ['b=2; a=1', '1'],
  ['a=', ''],
  ['ab=1', null],
  ['a=1; a=2', null],
])('of the cookies %s the one of "a" is %s', (header, value) => expect(cookieOf(header, 'a')).toBe(value));

import { describe, expect, test } from 'vitest';
import { cookieOf, LoginDesk, sessionMs, tokenMs } from '../../src/inspector/login.ts';
import { handClock } from '../support/hand-clock.ts';

function open() {
  const clock = handClock();
  return { clock, desk: new LoginDesk(clock) };
}

const halves = (opened: ReturnType<LoginDesk['open']>) => opened?.halves ?? { cookie: '', key: '' };

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
    desk.close(halves(second));
    expect(desk.session(halves(second))).toBeNull();
    clock.advance(sessionMs - 1);
    expect(desk.session(halves(first))?.who).toBe('ann@host');
    clock.advance(1);
    expect(desk.session(halves(first))).toBeNull();
  });

  test('a session is shown by both of its halves, and by those of one session', () => {
    const { desk } = open();
    const [ann, bob] = ['ann@host', 'bob@host'].map((who) => halves(desk.open(desk.issue(who).token)));
    if (!ann || !bob) throw new Error('two sessions');
    expect(desk.session(ann)?.who).toBe('ann@host');
    for (const wrong of [
      { ...ann, key: '' },
      { ...ann, cookie: '' },
      { ...ann, key: bob.key },
      { ...ann, cookie: bob.cookie },
      { cookie: ann.key, key: ann.cookie },
      { cookie: `${ann.cookie}","${ann.key}`, key: '' },
    ]) {
      expect(desk.session(wrong)).toBeNull();
      desk.close(wrong);
    }
    expect(desk.session(ann)?.who).toBe('ann@host');
  });

  test('the oldest token and the oldest session give way', () => {
    const { desk } = open();
    const oldest = desk.issue('ann@host').token;
    for (let i = 0; i < 16; i++) desk.issue('flood');
    expect(desk.open(oldest)).toBeNull();
    const session = desk.open(desk.issue('ann@host').token);
    for (let i = 0; i < 32; i++) desk.open(desk.issue('flood').token);
    expect(desk.session(halves(session))).toBeNull();
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

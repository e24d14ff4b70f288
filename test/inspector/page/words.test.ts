import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, allStates, routeOf } from '../../../src/inspector/page/address.js';
import { ServerClock } from '../../../src/inspector/page/server-clock.js';
import { bytesText, dueText, durationText, sentences, spanText } from '../../../src/inspector/page/words.js';

describe('lengths of time are told in two units at most', () => {
  test.each([
    [null, '–'],
    [0, '0 ms'],
    [0.24, '0.2 ms'],
    [999, '999 ms'],
    [1_240, '1.24 s'],
    [59_960, '60 s'],
    [125_000, '2 m 05 s'],
    [11_400_000, '3 h 10 m'],
    [187_200_000, '2 d 4 h'],
  ])('%s ms are %s', (ms, text) => expect(durationText(ms)).toBe(text));

  test.each([
    [12_300, 'in 12 s'],
    [999, 'now'],
    [-999, 'now'],
    [-4_000, '4 s late'],
  ])('due in %s ms is %s', (ms, text) => expect(dueText(ms)).toBe(text));

  test('a span has no fractions', () => expect(spanText(4_999)).toBe('4 s'));

  test.each([
    [null, '–'],
    [1_023, '1023 B'],
    [1_536, '1.5 KiB'],
    [3 * 1024 ** 3, '3 GiB'],
  ])('%s bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));
});

describe('the address holds the view', () => {
  const parse = (address: string) => routeOf(new URL(address, 'http://localhost'));
  // A fabric's name begins and ends with a letter or a digit; the schema holds it.
  const name = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._ -]{0,20}[A-Za-z0-9])?$/);
  const text = fc.string({ unit: 'binary' }).map((found) => found.toWellFormed());
  const route = fc.oneof(
    fc.record({
      view: fc.constant('fleet' as const),
      search: text,
      states: fc.subarray([...allStates]),
      sort: fc.constantFrom('name' as const, 'due' as const, 'duration' as const),
      down: fc.boolean(),
    }),
    fc.record({
      view: fc.constant('fabric' as const),
      name,
      tab: fc.constantFrom('runs' as const, 'timeline' as const, 'settings' as const),
      run: fc.option(text),
      trace: fc.option(text),
    }),
    fc.record({ view: fc.constant('timers' as const), search: text }),
  );

  test('an address leads to the view that it was made of', () => {
    fc.assert(
      fc.property(route, (one) => {
        expect(parse(addressOf(one))).toEqual(one);
      }),
    );
  });

  test.each([
    [
      '/?state=errored,nonsense&sort=-nothing',
      { view: 'fleet', search: '', states: ['errored'], sort: 'name', down: true },
    ],
    ['/fabrics/%E0%A4%A', { view: 'lost', path: '/fabrics/%E0%A4%A' }],
    ['/fabrics/a/b', { view: 'lost', path: '/fabrics/a/b' }],
  ])('%s is read as far as it can be', (address, found) => expect(parse(address)).toEqual(found));
});

describe('the daemon’s clock', () => {
  const at = (ms: number) => new Date(ms).toISOString();

  test('is as far ahead as the least delayed message says', () => {
    let browserMs = 1_000_000;
    const clock = new ServerClock(() => browserMs);
    for (const delayMs of [400, 30, 250]) {
      browserMs += 1_000;
      clock.heard(at(browserMs + 60_000 - delayMs));
    }
    expect(clock.nowMs()).toBe(browserMs + 60_000 - 30);
  });

  test('is believed when it was set, back as well', () => {
    const clock = new ServerClock(() => 1_000_000);
    clock.heard(at(1_060_000));
    clock.heard(at(1_000_500));
    expect(clock.offsetMs).toBe(500);
    clock.heard('nonsense');
    expect(clock.offsetMs).toBe(500);
  });
});

test('what a daemon says in parts is read as sentences', () => {
  expect(sentences('the link is too old', 'Get a new one: fabric-syncd inspect --link.')).toBe(
    'The link is too old. Get a new one: fabric-syncd inspect --link.',
  );
  expect(sentences('there is no fabric "x"', '')).toBe('There is no fabric "x".');
});

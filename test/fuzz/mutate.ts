// New inputs from old ones: bytes flipped, cut and doubled, words put in that parsers stumble over, two inputs spliced.

import type { Dice } from '../../src/dice.ts';

const words = [
  ...['{', '}', '[', ']', '"', ':', ',', 'null', 'true', '-1', '1e999', '9007199254740993', '""', '{}', '[]'],
  ...['"__proto__"', '"constructor"', '"prototype"', '"toString"', '\\u0000', '\\ud800', '\u202e', '\ufeff', '\0'],
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\t',
    ' ',
    '%',
    '%00',
    '%2e%2e%2f',
    '../',
    '//',
    '@',
    '?',
    '#',
    ';',
    '&',
    '*',
    '!',
    '|',
    '>',
  ],
  ...['HTTP/1.1 200 OK\r\n', 'content-length: 5\r\n', 'content-length: -1\r\n', 'transfer-encoding: chunked\r\n'],
  ...['content-encoding: gzip\r\n', 'connection: close\r\n', 'location: https://elsewhere.example/\r\n', '0\r\n\r\n'],
  ...[
    'ffffffffffffffff',
    '0',
    '-',
    '.',
    'e',
    'ms',
    's',
    'd',
    'GiB',
    '[{"',
    '"}]',
    'kind',
    'metadata',
    'items',
    'continue',
  ],
].map((word) => Buffer.from(word));

const bytesMax = 64 * 1024;

export function mutate(input: Buffer, other: Buffer, dice: Dice): Buffer {
  let made = input;
  const steps = 1 + pick(dice, 4);
  for (let step = 0; step < steps; step++) made = once(made, other, dice);
  return made.subarray(0, bytesMax);
}

const pick = (dice: Dice, below: number) => Math.floor(dice.roll() * below);

function once(input: Buffer, other: Buffer, dice: Dice): Buffer {
  const at = pick(dice, input.length + 1);
  const length = 1 + pick(dice, Math.min(64, Math.max(1, input.length - at)));
  const insert = (bytes: Uint8Array) => Buffer.concat([input.subarray(0, at), bytes, input.subarray(at)]);
  switch (pick(dice, 9)) {
    case 0: {
      const flipped = Buffer.from(input);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ (1 << pick(dice, 8));
      return flipped;
    }
    case 1:
      return Buffer.concat([input.subarray(0, at), input.subarray(at + length)]);
    case 2:
      return insert(input.subarray(at, at + length));
    case 3:
      return input.subarray(0, at);
    case 4:
      return insert(Buffer.of(pick(dice, 256)));
    case 5:
      return Buffer.concat([input.subarray(0, at), other.subarray(pick(dice, other.length + 1))]);
    case 6: {
      // Very deep, or very long.
      const word = words[pick(dice, words.length)] ?? Buffer.of(0);
      return insert(Buffer.concat(Array.from({ length: 2 ** pick(dice, 12) }, () => word)));
    }
    default:
      return insert(words[pick(dice, words.length)] ?? Buffer.of(0));
  }
}

// New inputs from old ones: bytes flipped, cut and doubled, words put in that parsers stumble over, two inputs spliced; and one
// thing repeated until the input is as large as any may be: what looks again from each of its places shows by the time.

import type { Dice } from '../../src/dice.ts';
import { inputBytesMax } from './limits.ts';

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

export function mutate(input: Buffer, other: Buffer, dice: Dice): Buffer {
  let made = input;
  const steps = 1 + pick(dice, 4);
  for (let step = 0; step < steps; step++) made = once(made, other, dice);
  return made.subarray(0, inputBytesMax);
}

/** How many steps make an input large. */
const repeatShare = 1 / 50;

/** A word, a byte, or a part of what was there, again and again; what it ends with is another, so that nothing fits at last. */
function repeated(part: Buffer, dice: Dice): Buffer {
  const word = words[pick(dice, words.length)] ?? Buffer.of(0);
  const what = [word, Buffer.of(pick(dice, 256)), part, part.subarray(0, 2)][pick(dice, 4)] ?? word;
  if (what.length === 0) return what;
  const bytes = Math.floor(inputBytesMax / 2 ** pick(dice, 4));
  return Buffer.concat([Buffer.alloc(bytes, what), Buffer.of(pick(dice, 256))]);
}

const pick = (dice: Dice, below: number) => Math.floor(dice.roll() * below);

function once(input: Buffer, other: Buffer, dice: Dice): Buffer {
  const at = pick(dice, input.length + 1);
  const length = 1 + pick(dice, Math.min(64, Math.max(1, input.length - at)));
  const insert = (bytes: Uint8Array) => Buffer.concat([input.subarray(0, at), bytes, input.subarray(at)]);
  // Rarely: such an input takes longer than a thousand small ones.
  if (dice.roll() < repeatShare) return insert(repeated(input.subarray(at, at + length), dice));
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

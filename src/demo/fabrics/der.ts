// Writes the few ASN.1 DER shapes that an X.509 certificate is made of. Writes only: Node reads certificates itself.

/** One complete DER element: tag, length, content. */
export type Der = Buffer;

function element(tag: number, ...parts: readonly Uint8Array[]): Der {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

function lengthOf(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  const digits: number[] = [];
  for (let left = bytes; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256);
  return [0x80 | digits.length, ...digits];
}

export const sequence = (...parts: readonly Der[]): Der => element(0x30, ...parts);
export const set = (...parts: readonly Der[]): Der => element(0x31, ...parts);
export const boolean = (value: boolean): Der => element(0x01, Buffer.from([value ? 0xff : 0x00]));
export const utf8 = (text: string): Der => element(0x0c, Buffer.from(text, 'utf8'));
export const octets = (content: Uint8Array): Der => element(0x04, content);
/** A bit string; `unusedBits` counts the bits of the last byte that mean nothing. */
export const bits = (content: Uint8Array, unusedBits = 0): Der => element(0x03, Buffer.from([unusedBits]), content);
/** `[n]` around complete elements. */
export const explicit = (n: number, ...parts: readonly Der[]): Der => element(0xa0 | n, ...parts);
/** `[n]` in place of a primitive element's own tag. */
export const implicit = (n: number, content: Uint8Array): Der => element(0x80 | n, content);

/** A non-negative integer, most significant byte first. */
export function integer(magnitude: Uint8Array): Der {
  let from = 0;
  while (from < magnitude.length - 1 && magnitude[from] === 0) from += 1;
  const trimmed = magnitude.subarray(from);
  return element(0x02, (trimmed[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

/** A moment, as X.509 wants it: two-digit years up to 2049, four-digit years from then on. */
export function time(epochMs: number): Der {
  const digits = new Date(epochMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : element(0x18, Buffer.from(digits, 'latin1'));
}

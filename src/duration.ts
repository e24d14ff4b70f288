// Times and sizes as people write them: `30s`, `5m`, `1h30m`, `250ms`; `32MiB`.

/** What was written is not a duration or a size; the message says what is. */
export class NotReadable extends Error {
  override readonly name = 'NotReadable';
}

/** The beginning of what was written, on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * @returns milliseconds, a whole number
 * @throws NotReadable for anything but numbers with units, the largest first (`1h30m`); a bare `0` is zero
 */
export function parseDuration(text: string): number {
  const wanted = `${quoted(text)} is not a time such as 30s, 5m, 1h30m or 2d`;
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) throw new NotReadable(wanted);
  let total = 0;
  let last = Number.POSITIVE_INFINITY;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    const ms = unitMs[unit ?? ''] ?? 0;
    if (ms >= last) throw new NotReadable(wanted);
    last = ms;
    total += Number(amount) * ms;
  }
  if (!Number.isSafeInteger(Math.round(total))) throw new NotReadable(`${wanted}: it is too long`);
  return Math.round(total);
}

/** The shortest text that `parseDuration` reads back: 90_000 is `1m30s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  let rest = Math.round(ms);
  let text = '';
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = unitMs[unit] ?? 1;
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text;
}

const unitBytes: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** @returns bytes. @throws NotReadable */
export function parseSize(text: string): number {
  const [, amount, unit] = /^(\d+)(B|KiB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(amount) * (unitBytes[unit ?? ''] ?? Number.NaN);
  if (!Number.isSafeInteger(bytes)) throw new NotReadable(`${quoted(text)} is not a size such as 512KiB or 64MiB`);
  return bytes;
}

/** The largest unit that divides it: 67_108_864 is `64MiB`. */
export function formatSize(bytes: number): string {
  const [unit, size] = Object.entries(unitBytes).findLast(([, one]) => bytes % one === 0 && bytes >= one) ?? ['B', 1];
  return `${bytes / size}${unit}`;
}

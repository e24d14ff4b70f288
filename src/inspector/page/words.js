// Numbers and times as a person reads them. Pure; every function takes what may be unknown and says so with a dash.

export const unknown = '–';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * How long something took: `8 ms`, `1.24 s`, `2 m 05 s`, `3 h 10 m`, `2 d 4 h`.
 * @param {number | null | undefined} ms
 */
export function durationText(ms) {
  if (ms === null || ms === undefined) return unknown;
  const length = Math.max(0, ms);
  if (length < 10) return `${trimmed(length, 1)} ms`;
  if (length < second) return `${Math.round(length)} ms`;
  if (length < 10 * second) return `${trimmed(length / second, 2)} s`;
  if (length < minute) return `${trimmed(length / second, 1)} s`;
  return spanText(length);
}

/**
 * Whole seconds and more, two units at most: `5 s`, `2 m 05 s`, `3 h 10 m`, `2 d 4 h`.
 * @param {number | null | undefined} ms
 */
export function spanText(ms) {
  if (ms === null || ms === undefined) return unknown;
  const length = Math.max(0, ms);
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  if (length < minute) return `${Math.floor(length / second)} s`;
  if (length < hour) return `${Math.floor(length / minute)} m ${two(Math.floor((length % minute) / second))} s`;
  if (length < day) return `${Math.floor(length / hour)} h ${two(Math.floor((length % hour) / minute))} m`;
  return `${Math.floor(length / day)} d ${Math.floor((length % day) / hour)} h`;
}

/**
 * A due time against now: `in 12 s`, `now`, `4 s late`.
 * @param {number | null | undefined} ms until it is due; negative where it is overdue
 */
export function dueText(ms) {
  if (ms === null || ms === undefined) return unknown;
  if (ms <= -second) return `${spanText(-ms)} late`;
  return ms < second ? 'now' : `in ${spanText(ms)}`;
}

/**
 * How long ago: `just now`, `12 s ago`.
 * @param {number | null | undefined} ms
 */
export function agoText(ms) {
  if (ms === null || ms === undefined) return unknown;
  return ms < second ? 'just now' : `${spanText(ms)} ago`;
}

/** Made once: what makes one for each text takes longer than all the rest of a row. */
const numbers = new Intl.NumberFormat('en');
const clockParts = /** @type {const} */ ({ hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const clocks = {
  toSeconds: new Intl.DateTimeFormat('en', clockParts),
  toMilliseconds: new Intl.DateTimeFormat('en', { ...clockParts, fractionalSecondDigits: 3 }),
};
const days = {
  ofThisYear: new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' }),
  ofAnother: new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', year: 'numeric' }),
};

/** @param {number | null | undefined} count */
export function countText(count) {
  return count === null || count === undefined ? unknown : numbers.format(count);
}

/**
 * `1 run`, `2 runs`.
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function counted(count, one, many = `${one}s`) {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** @param {number | null | undefined} bytes */
export function bytesText(bytes) {
  if (bytes === null || bytes === undefined) return unknown;
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${trimmed(bytes / 1024 ** step, 1)} ${units[step - 1]}`;
}

/**
 * The time of day in this browser's zone, with the date where it is another day: `14:03:22`, `Mar 4, 14:03:22`,
 * `Mar 4, 2025, 14:03:22`.
 * @param {string | number | null | undefined} at an ISO time, or epoch milliseconds
 * @param {number} nowMs
 */
export function clockText(at, nowMs, withMs = false) {
  if (at === null || at === undefined) return unknown;
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return unknown;
  const text = (withMs ? clocks.toMilliseconds : clocks.toSeconds).format(time);
  const now = new Date(nowMs);
  const sameYear = time.getFullYear() === now.getFullYear();
  if (sameYear && time.getMonth() === now.getMonth() && time.getDate() === now.getDate()) return text;
  return `${(sameYear ? days.ofThisYear : days.ofAnother).format(time)}, ${text}`;
}

/**
 * `awaiting_approval` as `awaiting approval`.
 * @param {string} word
 */
export function plain(word) {
  return word.replaceAll('_', ' ');
}

/**
 * `the link is too old`, `Get a new one` as `The link is too old. Get a new one.`
 * @param {...string} parts what is empty is left out
 */
export function sentences(...parts) {
  return parts
    .filter(Boolean)
    .map((part) => `${part.charAt(0).toUpperCase()}${part.slice(1)}${/[.!?…]$/.test(part) ? '' : '.'}`)
    .join(' ');
}

/** @param {number} value @param {number} digits */
function trimmed(value, digits) {
  return String(Number(value.toFixed(digits)));
}

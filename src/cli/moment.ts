import { parseDuration, quoted } from '../duration.ts';
import { usageFailure } from './cli-failure.ts';

/** No time that a person means is further away. */
const farMs = 100 * 365 * 86_400_000;

/** RFC 3339 with a zone, or a date and time in UTC: what `Date.parse` takes beyond these differs between systems. */
const timeShape = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * A time as people give it: `2h` from now (`direction` 1) or ago (-1), or `2026-01-31T12:00Z`. Without a zone it is UTC.
 * @returns epoch milliseconds
 */
export function parseMoment(text: string, nowMs: number, direction: 1 | -1): number {
  const atMs = timeShape.test(text) ? Date.parse(inUtc(text)) : relative(text, nowMs, direction);
  if (Number.isNaN(atMs) || Math.abs(atMs - nowMs) > farMs) {
    throw usageFailure(
      `${quoted(text)} is no time that can be understood`,
      'Give a length such as 2h or 30m, or a time such as 2026-01-31T12:00Z.',
    );
  }
  return atMs;
}

function inUtc(text: string): string {
  const [date = '', time] = text.toUpperCase().split(/[T ]/);
  if (time === undefined) return `${date}T00:00:00Z`;
  return `${date}T${time}${/(?:Z|[+-]\d{2}:?\d{2})$/.test(time) ? '' : 'Z'}`;
}

function relative(text: string, nowMs: number, direction: 1 | -1): number {
  try {
    return nowMs + direction * parseDuration(text);
  } catch {
    return Number.NaN;
  }
}

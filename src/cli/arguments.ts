// Parsers for commander: what an option's value may be. Each refuses with words that say what was expected; commander
// adds which option it was.

import { InvalidArgumentError, Option } from 'commander';
import { formatDuration, parseDuration } from '../duration.ts';

/** `30s`, `5m`, `1h`. @returns milliseconds */
export function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (thrown) {
    throw new InvalidArgumentError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** An option that is a length of time, with what it is where it is not given. */
export function durationOption(flags: string, description: string, defaultMs: number): Option {
  return new Option(flags, description).argParser(duration).default(defaultMs, formatDuration(defaultMs));
}

/** A whole number between two bounds. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** `20%` or `0.2`. @returns a share in [0, 1] */
export function share(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share such as 20% or 0.2.');
}

/** `on` or `off`. */
export function onOff(text: string): boolean {
  if (text === 'on') return true;
  if (text === 'off') return false;
  throw new InvalidArgumentError('Expected on or off.');
}

/** Text that is not empty. */
export function some(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

import type { FabricFailure } from '../../../machines/fabric/failure.ts';
import type { Paint } from '../colours.ts';
import { plain } from '../plain-text.ts';

/** `warn`: it works, and will hurt one day. `fail`: something does not work. */
export type Level = 'ok' | 'warn' | 'fail';

export interface Finding {
  /** What was looked at: `postgres`, `redis`, `fabric lab`. */
  readonly check: string;
  readonly level: Level;
  /** One line: what is so. */
  readonly detail: string;
  /** What to do; empty where there is nothing to do. */
  readonly hint: string;
}

export function ok(check: string, detail: string): Finding {
  return { check, level: 'ok', detail, hint: '' };
}

export function warn(check: string, detail: string, hint: string): Finding {
  return { check, level: 'warn', detail, hint };
}

export function fail(check: string, detail: string, hint: string): Finding {
  return { check, level: 'fail', detail, hint };
}

export function failed(check: string, { message, hint }: FabricFailure): Finding {
  return fail(check, message, hint);
}

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/** `warn  redis  …`, with what to do below. */
export function findingLines({ check, level, detail, hint }: Finding, paint: Paint): string[] {
  const lines = [`${paint(colours[level], level.padEnd(4))}  ${plain(check).padEnd(12)}  ${plain(detail)}`];
  if (hint !== '') lines.push(`${' '.repeat(20)}${paint('dim', plain(hint))}`);
  return lines;
}

/** Above this the clocks disagree enough to make syncs early or late; far above, leases are misjudged. */
const skewMs = { warn: 1_000, fail: 30_000 } as const;

/** @param offMs the server's clock less this host's */
export function clockFinding(check: string, offMs: number): Finding {
  const off = Math.abs(offMs);
  const detail = `its clock is ${(off / 1_000).toFixed(off < 1_000 ? 3 : 1)} s ${offMs < 0 ? 'behind' : 'ahead of'} this host’s`;
  const hint = 'Let NTP (chrony, systemd-timesyncd) run on both hosts.';
  if (off >= skewMs.fail) return fail(check, detail, hint);
  if (off >= skewMs.warn) return warn(check, detail, hint);
  return ok(check, detail);
}

// How long, for people. Programs get milliseconds and RFC 3339 from `--json`.

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** At most two units, cut, not rounded: `8ms`, `1.4s`, `48s`, `3m`, `3m20s`, `2h05m`, `9d4h`. A minus sign for what is past. */
export function span(ms: number): string {
  if (ms < 0) return `-${span(-ms)}`;
  if (ms < secondMs) return `${Math.floor(ms)}ms`;
  if (ms < 10 * secondMs) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  return ms < minuteMs ? `${Math.floor(ms / secondMs)}s` : coarse(ms);
}

/** As `span`, in whole seconds: for a column that is looked at again and again. */
export function wholeSpan(ms: number): string {
  if (ms < 0) return `-${wholeSpan(-ms)}`;
  return ms < minuteMs ? `${Math.floor(ms / secondMs)}s` : coarse(ms);
}

function coarse(ms: number): string {
  if (ms < hourMs) return two(ms, minuteMs, 'm', secondMs, 's');
  if (ms < dayMs) return two(ms, hourMs, 'h', minuteMs, 'm');
  return two(ms, dayMs, 'd', hourMs, 'h');
}

function two(ms: number, bigMs: number, big: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % bigMs) / smallMs);
  return `${Math.floor(ms / bigMs)}${big}${rest === 0 ? '' : `${String(rest).padStart(small === 'h' ? 1 : 2, '0')}${small}`}`;
}

// How long to wait after a failure. Pure: chance is an argument.

export interface BackoffPolicy {
  readonly baseMs: number;
  readonly capMs: number;
  /** Retries before `errored`. */
  readonly retriesMax: number;
  /** The slow probe of an `errored` fabric is never faster than this. */
  readonly probeMsMin: number;
}

export const backoffDefault: BackoffPolicy = {
  baseMs: 2_000,
  capMs: 5 * 60_000,
  retriesMax: 5,
  probeMsMin: 10 * 60_000,
};

/** No wait is longer, whatever a server's `Retry-After` says: a hostile answer must not silence a fabric for ever. */
const retryAfterMsMax = 60 * 60_000;

/**
 * Exponential backoff with full jitter (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 * At the defaults the ceiling is 2 s, 4 s, 8 s, 16 s, 32 s … 5 min, and the wait is anywhere between 0 and it; a
 * `Retry-After` is a floor, with the jitter on top so that many fabrics behind one server do not come back at once.
 *
 * @param attempt 1 for the first failure
 * @param roll chance, in [0, 1)
 * @returns milliseconds, a whole number
 */
export function retryDelayMs(policy: BackoffPolicy, attempt: number, roll: number, retryAfterMs = 0): number {
  // 2 ** 1024 is Infinity, and Math.min still gives the cap.
  const ceiling = Math.min(policy.capMs, policy.baseMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(Math.min(retryAfterMsMax, Math.max(0, retryAfterMs)) + ceiling * roll);
}

/** How long an `errored` fabric waits for its next probe, in milliseconds; jittered upwards by at most a tenth. */
export function probeDelayMs(policy: BackoffPolicy, intervalMs: number, roll: number, retryAfterMs = 0): number {
  const floor = Math.max(policy.probeMsMin, intervalMs, Math.min(retryAfterMsMax, Math.max(0, retryAfterMs)));
  return Math.round(floor * (1 + roll / 10));
}

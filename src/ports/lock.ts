// The lock that keeps two daemons from one fabric: "the door". What makes a slip of it safe is the epoch in Postgres.
//
//   K1. A lease is trusted only until `trustedUntilMs`, a monotonic time counted from BEFORE the question was asked,
//       less a margin for clock drift.
//   K2. A renewal in doubt counts as lost.
//   K3. Nothing here retries: the machine owns retries.

/** How far two clocks may run apart while a lease lasts, as a share of it: redlock's own figure. */
export const driftShare = 0.01;
/** Redis and Postgres round. */
const roundingMs = 2;

/** How long a lease of `ttlMs` is trusted, from before it was asked for (K1): of the lock, and of the claim in Postgres. */
export function trustMs(ttlMs: number): number {
  return ttlMs - Math.round(ttlMs * driftShare) - roundingMs;
}

export interface Lease {
  readonly fabricId: string;
  /** Monotonic milliseconds of this process. */
  readonly trustedUntilMs: number;
}

export type Acquired =
  | { readonly kind: 'acquired'; readonly lease: Lease }
  /** Somebody else holds it. */
  | { readonly kind: 'contended' }
  /** The lock's servers do not answer (or none is set): go on with the database lease alone. */
  | { readonly kind: 'unavailable'; readonly cause: unknown };

export interface FabricLock {
  /** Never throws for contention or an outage. */
  acquire(fabricId: string): Promise<Acquired>;
  /** @returns the lease renewed, or null: lost, or in doubt (K2) */
  renew(lease: Lease): Promise<Lease | null>;
  /** Never throws: a lease that cannot be given back expires. */
  release(lease: Lease): Promise<void>;
}

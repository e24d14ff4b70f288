// How patient and how trusting a reading of a fabric is.

/** Times in milliseconds, sizes in bytes. */
export interface KubeLimits {
  /** Name lookup, TCP and TLS together. */
  readonly connectTimeoutMs: number;
  /** One request from asking for a connection to the last byte of its body, a renewed credential included. */
  readonly requestTimeoutMs: number;
  /** The longest silence inside a body. */
  readonly idleTimeoutMs: number;
  /** The largest body of one answer. */
  readonly bodyBytesMax: number;
  /** Connections to one fabric at once. */
  readonly connectionsMax?: number;
}

export const kubeLimitsDefault: Required<KubeLimits> = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 10_000,
  bodyBytesMax: 64 * 1024 * 1024,
  connectionsMax: 4,
};

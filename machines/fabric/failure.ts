// Everything that can go wrong with a fabric, as data.
//
//   F1. A failure is born where its code is known, and nowhere is a code guessed from the text of a message.
//   F2. What a code means for the next state is one table (`verdictByCode`); nothing else decides it.
//   F3. A `FailureNote` is plain JSON and carries no secret: it may go to a log, a span, a row and a terminal.

/**
 * What a failure means for the next state.
 * - `retry`: transient. Counts as an attempt; `backoff`, and `errored` once the retries are used up.
 * - `wait`: not the fabric's fault (contention, our own servers, a person's cancel). Never counts as an attempt.
 * - `stop`: only a person can mend it. `errored` at once, with a slow probe.
 */
export type Verdict = 'retry' | 'wait' | 'stop';

export const verdictByCode = {
  // Reaching the fabric.
  ADDRESS_UNKNOWN: 'retry',
  UNREACHABLE: 'retry',
  TIMED_OUT: 'retry',
  TLS_UNTRUSTED: 'stop',
  TLS_NAME_MISMATCH: 'stop',
  TLS_EXPIRED: 'stop',
  TLS_FAILED: 'retry',
  // What it answered.
  UNAUTHORIZED: 'stop',
  FORBIDDEN: 'stop',
  REDIRECTED: 'stop',
  THROTTLED: 'retry',
  SERVER_ERROR: 'retry',
  NOT_KUBERNETES: 'retry',
  BODY_BROKEN: 'retry',
  BODY_TOO_LARGE: 'stop',
  LIST_UNSTABLE: 'retry',
  NO_KINDS_SERVED: 'retry',
  CLUSTER_CHANGED: 'stop',
  // What was set.
  SETTINGS_INVALID: 'stop',
  CREDENTIAL_UNREADABLE: 'stop',
  // The run itself.
  INTERRUPTED: 'retry',
  LEASE_LOST: 'retry',
  RUN_DEADLINE: 'retry',
  LEASE_CONTENDED: 'wait',
  FENCE_STALE: 'wait',
  CANCELLED: 'wait',
  SHUTDOWN: 'wait',
  // Our own servers and our own mistakes.
  DATABASE_UNAVAILABLE: 'wait',
  DATABASE_REFUSED: 'retry',
  REDIS_UNAVAILABLE: 'wait',
  INTERNAL: 'retry',
  PORT_UNBOUND: 'stop',
} as const satisfies Record<string, Verdict>;

export type FailureCode = keyof typeof verdictByCode;

/** The plain part of a failure: fit for the machine's context, a row, a log line and a span. */
export interface FailureNote {
  readonly code: FailureCode;
  /** One line: what failed, for which fabric or address. No secret. */
  readonly message: string;
  /** One line: what the operator can do. */
  readonly hint: string;
  /** The server asked for this much patience (`Retry-After`), in milliseconds. */
  readonly retryAfterMs?: number;
  /** Small plain facts (status, kind, address, phase). No secret. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
}

/** What to tell the operator when the place of birth has nothing better to say. */
export const hintByCode: Readonly<Record<FailureCode, string>> = {
  ADDRESS_UNKNOWN: 'Check the host name in the server URL, and this host’s DNS.',
  UNREACHABLE:
    'The control node may be rebooting; else check address, port 6443 and firewalls. It is retried automatically.',
  TIMED_OUT: 'The control node answers too slowly or not at all. It is retried automatically.',
  TLS_UNTRUSTED: 'Give the fabric’s own CA: fabric-syncd fabric set NAME --ca-file FILE.',
  TLS_NAME_MISMATCH: 'Add the address to tlsSAN in fab.yaml, or: fabric-syncd fabric set NAME --tls-server-name NAME.',
  TLS_EXPIRED: 'The control node’s certificate has expired or is not valid yet: renew it there, and check both clocks.',
  TLS_FAILED: 'The TLS handshake failed: is this the port of a Kubernetes API?',
  UNAUTHORIZED: 'The token was refused. Give a new one: fabric-syncd fabric set NAME --token-file FILE.',
  FORBIDDEN: 'The token may list nothing. Apply the rights printed by: fabric-syncd rbac NAME.',
  REDIRECTED: 'The server sends us elsewhere, which is never followed. Set the final address.',
  THROTTLED: 'The API server is busy. It is retried after the delay that the server asked for.',
  SERVER_ERROR: 'The API server failed. It is retried automatically; see its log if it lasts.',
  NOT_KUBERNETES: 'Something other than a Kubernetes API is answering there, perhaps a proxy. Check the server URL.',
  BODY_BROKEN: 'The answer ended early or is not JSON. It is retried automatically.',
  BODY_TOO_LARGE: 'One answer is larger than FABRIC_SYNCD_BODY_MAX allows: raise it, or lower FABRIC_SYNCD_PAGE_LIMIT.',
  LIST_UNSTABLE: 'The list expired again and again while it was read. It is retried automatically.',
  NO_KINDS_SERVED: 'The API serves none of the kinds: is Hedgehog Fabric installed on that cluster?',
  CLUSTER_CHANGED: 'If the cluster was rebuilt on purpose: fabric-syncd approve NAME. Else correct the address.',
  SETTINGS_INVALID: 'Correct the settings: fabric-syncd fabric set NAME …, then fabric-syncd fabric test NAME.',
  CREDENTIAL_UNREADABLE:
    'Make the credential readable for the daemon, or give it again: fabric-syncd fabric set NAME ….',
  INTERRUPTED: 'The daemon that ran it ended in the middle. It is retried automatically.',
  LEASE_LOST: 'The lock could not be renewed in time. It is retried automatically.',
  RUN_DEADLINE: 'The run took longer than FABRIC_SYNCD_RUN_DEADLINE. It is retried automatically.',
  LEASE_CONTENDED: 'Another daemon is syncing this fabric. Nothing to do.',
  FENCE_STALE: 'Another run took over. Nothing was written. Nothing to do.',
  CANCELLED: 'A person stopped the run. The next one comes as scheduled.',
  SHUTDOWN: 'The daemon was stopped in the middle. It will resume at the next start.',
  DATABASE_UNAVAILABLE: 'Postgres does not answer: check DATABASE_URL and the server. It will resume automatically.',
  DATABASE_REFUSED: 'Postgres refused the write: see the message, and run fabric-syncd doctor.',
  REDIS_UNAVAILABLE: 'Redis does not answer. The daemon goes on without it and returns to it by itself.',
  INTERNAL: 'This is a defect of fabric-syncd: please report it with the log lines of this run.',
  PORT_UNBOUND: 'This is a defect of fabric-syncd: please report it.',
};

/** A failure on its way up: a code, a line for people, and the cause it came from. */
export class FabricFailure extends Error {
  override readonly name = 'FabricFailure';
  readonly code: FailureCode;
  readonly hint: string;
  readonly retryAfterMs: number | undefined;
  readonly facts: Readonly<Record<string, string | number | boolean>> | undefined;

  constructor(
    code: FailureCode,
    message: string,
    more: {
      cause?: unknown;
      hint?: string;
      retryAfterMs?: number;
      facts?: Readonly<Record<string, string | number | boolean>>;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.hint = more.hint ?? hintByCode[code];
    this.retryAfterMs = more.retryAfterMs;
    this.facts = more.facts;
  }

  get verdict(): Verdict {
    return verdictByCode[this.code];
  }

  /** The failure itself, or a stranger wrapped as `INTERNAL` with its own error as the cause. */
  static from(thrown: unknown): FabricFailure {
    if (thrown instanceof FabricFailure) return thrown;
    const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `a ${typeof thrown} was thrown`;
    return new FabricFailure('INTERNAL', oneLine(what), { cause: thrown });
  }

  /** The plain part, for the machine's context and for rows. */
  static note(thrown: unknown): FailureNote {
    const { code, message, hint, retryAfterMs, facts } = FabricFailure.from(thrown);
    return {
      code,
      message: oneLine(message),
      hint,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(facts && { facts }),
    };
  }
}

/** Control characters and line ends become spaces, and the length is bounded, whatever a fabric answered. */
export function oneLine(text: string, lengthMax = 500): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
  const flat = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return flat.length <= lengthMax ? flat : `${flat.slice(0, lengthMax - 1)}…`;
}

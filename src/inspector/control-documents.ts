// The documents of who is logged in, of acts and of refusals.

// --- GET /api/session · POST /api/login {"token"} · POST /api/logout ---

export interface SessionDocument {
  /** The daemon runs with --control. */
  readonly control: boolean;
  /** Who is logged in here; null: nobody, so this browser may only look. */
  readonly who: string | null;
  /** When the session ends. */
  readonly until: string | null;
}

/** What a login is answered with. */
export interface LoginDocument extends SessionDocument {
  /** To be said in the header `x-fabric-syncd-key` with everything that is asked in its name, beside the cookie. */
  readonly key: string;
}

// --- POST /api/fabrics/NAME/{trigger,pause,resume,approve,unlock,cancel,retry} ---

/** Bodies are JSON objects; `{}` where nothing is to be said. */
export interface ActBodies {
  readonly trigger: Readonly<Record<string, never>>;
  /** `until`: RFC 3339, or null for "until resumed". */
  readonly pause: { readonly reason: string; readonly until: string | null };
  readonly resume: Readonly<Record<string, never>>;
  /** `run`: whose approval was shown (`approval.run`): what waits since another run is refused as CHANGED_MEANWHILE. */
  readonly approve: { readonly run: string };
  readonly unlock: Readonly<Record<string, never>>;
  readonly cancel: Readonly<Record<string, never>>;
  /** A sync now, of a fabric that is in `backoff` or `errored`. */
  readonly retry: Readonly<Record<string, never>>;
}

export type Act = keyof ActBodies;

export interface ActAnswer {
  readonly act: Act;
  readonly fabric: string;
  readonly fabric_id: string;
  readonly by: string;
  readonly at: string;
  /** One sentence: what came of it. */
  readonly said: string;
}

// --- any answer that is not 2xx ---

/**
 * 400 BAD_REQUEST · 401 NOT_LOGGED_IN, LOGIN_REFUSED · 403 FORBIDDEN, CONTROL_OFF · 404 NOT_FOUND, NO_SUCH_FABRIC,
 * NO_SUCH_RUN · 405 METHOD_NOT_ALLOWED · 409 a refusal by its own name (PAUSED, NOTHING_WAITS, …) · 413 TOO_LARGE ·
 * 415 NOT_JSON · 421 WRONG_HOST · 503 DATABASE_UNAVAILABLE, TOO_MANY_WATCHERS, STOPPING · 500 INTERNAL
 */
export interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

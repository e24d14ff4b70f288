// What can be made to go wrong with a simulated fabric while it runs.
//
//   F1. A fault is plain JSON, so that it can be set from another process.
//   F2. Nothing goes wrong by chance: a fault strikes each request that it names, or the first `times` of them.
//   F3. Setting and clearing resolve once they are in force; a request that was already being answered is not changed.

/** Of the listener: before any request is read. */
export type ListenerDeed =
  /** Nobody listens on the port: connection refused. */
  | { readonly does: 'refuse' }
  /** TCP connects, and then nothing: not even a TLS handshake. */
  | { readonly does: 'silent' }
  /** Another certificate, for as long as it lasts. */
  | { readonly does: 'certificate'; readonly which: 'expired' | 'not_yet_valid' | 'other_name' | 'unknown_ca' };

/** Of the answer to a request. */
export type AnswerDeed =
  /** The request is read and never answered. */
  | { readonly does: 'hang' }
  /** Answered, later. */
  | { readonly does: 'slow'; readonly ms: number }
  /** Another status: 401, 403, 404, 429, 500, 503, with the body that belongs to it. */
  | { readonly does: 'status'; readonly status: number; readonly retryAfterS?: number }
  /** 410 on a page after the first. */
  | { readonly does: 'expire' }
  /** A whole HTTP answer whose JSON ends in the middle. */
  | { readonly does: 'truncate' }
  /** Half of the body, then the connection is reset. */
  | { readonly does: 'reset' }
  /** Half of the body, then nothing more. */
  | { readonly does: 'stall' }
  /** The body, slowly. */
  | { readonly does: 'drip'; readonly bytesPerSecond: number }
  /** 200 with a web page, as a proxy's login would be. */
  | { readonly does: 'html' }
  | { readonly does: 'redirect'; readonly location: string }
  /** 200 with exactly this. */
  | { readonly does: 'body'; readonly text: string; readonly contentType?: string }
  /** A list without items, complete. */
  | { readonly does: 'empty' }
  /** The first object of each page carries an annotation of so many bytes. */
  | { readonly does: 'pad'; readonly bytes: number }
  /** The first object of each page carries keys and strings that break careless readers. */
  | { readonly does: 'poison' }
  /** Every page says that there is another one. */
  | { readonly does: 'endless' }
  /** The same objects in another cluster: every uid differs. */
  | { readonly does: 'other_cluster' };

export type Deed = ListenerDeed | AnswerDeed;

/** Which requests a fault strikes; what is absent does not matter. */
export interface Where {
  /** By `kind` name: lists and objects of it. `Namespace` is one too. */
  readonly kind?: string;
  /** The page of a list, from 1. */
  readonly page?: number;
  readonly on?: 'discovery' | 'list' | 'object';
}

export type Fault = Deed & {
  readonly where?: Where;
  /** Strikes so many requests and is gone then. */
  readonly times?: number;
};

export interface SetFault {
  readonly id: number;
  readonly fault: Fault;
}

/** What a fault may look at in a request. */
export interface Struck {
  readonly kind: string | null;
  /** From 1; 0 where it is not a list. */
  readonly page: number;
  readonly on: 'discovery' | 'list' | 'object';
}

const listenerDeeds: ReadonlySet<Deed['does']> = new Set(['refuse', 'silent', 'certificate']);

const isListenerFault = (fault: Fault): fault is ListenerDeed & Fault => listenerDeeds.has(fault.does);

export class Faults {
  #set: { readonly id: number; readonly fault: Fault; left: number }[] = [];
  #nextId = 1;
  readonly #applyToListener: (deed: ListenerDeed | null) => Promise<void>;

  /** @param applyToListener brings the listener into the state of this deed; null: in order */
  constructor(applyToListener: (deed: ListenerDeed | null) => Promise<void>) {
    this.#applyToListener = applyToListener;
  }

  /** @returns its id, for `clear` */
  async set(fault: Fault): Promise<number> {
    const id = this.#nextId++;
    this.#set.push({ id, fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    if (isListenerFault(fault)) await this.#applyToListener(fault);
    return id;
  }

  /** One fault, or all of them. */
  async clear(id?: number): Promise<void> {
    const before = this.#listenerFault();
    this.#set = id === undefined ? [] : this.#set.filter((one) => one.id !== id);
    const now = this.#listenerFault();
    if (now !== before) await this.#applyToListener(now);
  }

  list(): readonly SetFault[] {
    return this.#set.map(({ id, fault }) => ({ id, fault }));
  }

  /** The newest fault that strikes this request, counted down; null where the request fares well. */
  strike(request: Struck): (AnswerDeed & Fault) | null {
    for (const one of this.#set.toReversed()) {
      const { fault } = one;
      if (isListenerFault(fault) || !strikes(fault, request)) continue;
      one.left -= 1;
      if (one.left <= 0) this.#set = this.#set.filter(({ id }) => id !== one.id);
      return fault;
    }
    return null;
  }

  #listenerFault(): ListenerDeed | null {
    return this.#set.map(({ fault }) => fault).findLast(isListenerFault) ?? null;
  }
}

function strikes(fault: AnswerDeed & Fault, request: Struck): boolean {
  const { kind, page, on } = fault.where ?? {};
  if (kind !== undefined && kind !== request.kind) return false;
  if (page !== undefined && page !== request.page) return false;
  if (on !== undefined && on !== request.on) return false;
  switch (fault.does) {
    case 'expire':
      return request.page > 1;
    case 'empty':
    case 'pad':
    case 'poison':
    case 'endless':
      return request.page > 0;
    default:
      return true;
  }
}

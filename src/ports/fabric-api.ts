// Reading one fabric's Kubernetes API. `src/kube` is the adapter; `src/sync` is the only caller.
//
//   A1. Every wait has a deadline, every answer a size limit, and TLS is always verified.
//   A2. Failures are `FabricFailure`s with a code; no secret is in any of them, nor in their causes.

/** A Kubernetes object as served: JSON, unchecked beyond "it is an object". */
export type KubeObject = Readonly<Record<string, unknown>>;

/** One kind as discovery names it. */
export interface ServedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface Page {
  readonly items: readonly KubeObject[];
  /** Null on the last page: the list is complete. */
  readonly continueToken: string | null;
  /** Of the list, opaque. */
  readonly resourceVersion: string;
  /** Body size as received (after decompression). */
  readonly bytes: number;
}

export interface FabricApi {
  /** `GET /apis`: group names with their served versions, the preferred one first. */
  groups(signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  /** `GET /apis/<group>/<version>`: the listable kinds, without subresources. */
  kinds(group: string, version: string, signal: AbortSignal): Promise<readonly ServedKind[]>;
  /**
   * One page of a LIST. Throws `FabricFailure`; 403 and 404 on one kind are answers, not failures.
   * A 410 is reported as `{ kind: 'expired' }`, never as a failure.
   */
  page(
    kind: ServedKind,
    request: { namespace: string; limit: number; continueToken: string | null },
    signal: AbortSignal,
  ): Promise<PageAnswer>;
  /** A uid that names the cluster (namespace `kube-system`), or null where the token may not read it. */
  clusterUid(signal: AbortSignal): Promise<string | null>;
  /** `GET /version`: gitVersion, or null. */
  serverVersion(signal: AbortSignal): Promise<string | null>;
  /** Closes connections. */
  close(): Promise<void>;
}

export type PageAnswer =
  | { readonly kind: 'page'; readonly page: Page }
  /** 410: the continue token expired; begin this kind again without one. */
  | { readonly kind: 'expired' }
  /** 403 on this kind. */
  | { readonly kind: 'forbidden'; readonly message: string }
  /** 404 on this kind. */
  | { readonly kind: 'not_served' };

/** What opening a connection to a fabric needs; secrets are in `credential` alone. */
export interface FabricAddress {
  readonly fabricName: string;
  readonly server: string;
  readonly caPem: string | null;
  readonly tlsServerName: string | null;
}

/** What a credential turns into when it is opened for one run. Never logged; see `src/kube/credentials.ts`. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'client_certificate'; readonly certPem: string; readonly keyPem: string };

// What people set of a fabric: the acts behind `fabric add`, `list`, `show`, `set` and `remove`.
// `src/postgres/operator` is the adapter; the schema's triggers tell every daemon.

import type { StoredCredential } from './store.ts';

export interface FabricSettingsValues {
  readonly name: string;
  readonly description: string;
  /** An https URL; empty: not configured yet. */
  readonly server: string;
  /** PEM; empty: the system's own authorities. */
  readonly caPem: string;
  /** Empty: the host of the URL. */
  readonly tlsServerName: string;
  readonly namespace: string;
  readonly syncEnabled: boolean;
  readonly schedulerEnabled: boolean;
  /** Whole seconds; 0: no periodic sync. */
  readonly intervalSeconds: number;
  readonly kindsAdded: readonly string[];
  readonly kindsRemoved: readonly string[];
  /** One run may delete this share of the objects, in [0, 1], or `guardCount` of them, without a person's word. */
  readonly guardShare: number;
  readonly guardCount: number;
}

/** A fabric as it is set. The credential is still closed. */
export interface FabricRecord extends FabricSettingsValues {
  readonly fabricId: string;
  readonly credential: StoredCredential;
  /** When a person last gave the credential, epoch milliseconds; null where there is none, or it is not known. */
  readonly credentialGivenMs: number | null;
  readonly createdMs: number;
  readonly lastUpdatedMs: number;
}

/** A credential to store. The row's number is authenticated with the seal, so it is sealed when the number is known. */
export type CredentialToStore =
  | { readonly kind: 'seal'; seal(fabricId: string): Uint8Array }
  | { readonly kind: 'ref'; readonly ref: string };

export type Added = { readonly kind: 'added'; readonly fabricId: string } | { readonly kind: 'name_taken' };
export type Changed = { readonly kind: 'changed' } | { readonly kind: 'name_taken' } | { readonly kind: 'gone' };

/** What goes with a fabric when it is removed. */
export interface Belongings {
  readonly objects: number;
  readonly tombstones: number;
  readonly runs: number;
  readonly changes: number;
  /** Who holds a live lease on it: a run is in hand. */
  readonly leaseHolder: string | null;
}

export interface FabricBook {
  /** In order of id. */
  list(): Promise<readonly FabricRecord[]>;
  show(fabricId: string): Promise<FabricRecord | null>;
  add(
    values: Partial<FabricSettingsValues> & { readonly name: string },
    credential: CredentialToStore | null,
  ): Promise<Added>;
  /**
   * Changes what is given and leaves the rest. A new way in (address, CA, TLS name, namespace, credential) also makes
   * a fabric in `backoff` or `errored` due at once: what was wrong may be mended.
   */
  set(fabricId: string, values: Partial<FabricSettingsValues>, credential: CredentialToStore | null): Promise<Changed>;
  /**
   * Puts another seal around the same credential.
   * @returns false where `before` is not what is stored any more
   */
  reseal(fabricId: string, before: Uint8Array, after: Uint8Array): Promise<boolean>;
  belongings(fabricId: string): Promise<Belongings>;
  /** With its inventory, runs and history. @returns false where it was gone */
  remove(fabricId: string): Promise<boolean>;
}

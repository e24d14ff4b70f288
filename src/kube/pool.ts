// The fabrics that this process is talking to: connections live longer than a run, credentials do not.
//
//   Q1. A run gets a credential that was read for it (`of` opens it anew). Where nothing changed since the last run, it
//       also gets the connections of the last run, so that a cycle need not pay for TLS handshakes.
//   Q2. A changed address, CA or credential closes the old connections.
//   Q3. A few fabrics are kept, those that ran last, and nothing of the others: a connection is some 100 KiB of memory
//       here, and one there. Who has many fabrics has long pauses between the runs of one, and would keep them for nothing.
//       A run that is still in hand when its fabric loses its place goes on over new connections; they close when idle.
//   Q4. No credential is kept here in clear: only a digest, to tell whether it changed.

import { createHash } from 'node:crypto';
import type { Credential, FabricApi } from '../ports/fabric-api.ts';
import type { FabricSettings } from '../ports/store.ts';
import { type OpenFabric, openFabricApi } from './api.ts';
import { type CredentialSources, openCredential } from './credentials.ts';
import type { KubeLimits } from './limits.ts';
import type { OnRequest } from './transport.ts';

export interface FabricApis {
  /** Fabrics of which something is kept. */
  readonly kept: number;
  /** @throws FabricFailure `SETTINGS_INVALID` or `CREDENTIAL_UNREADABLE` */
  of(settings: FabricSettings): Promise<FabricApi>;
  /** Closes what is kept for a fabric that is gone. */
  forget(fabricId: string): Promise<void>;
  close(): Promise<void>;
}

export interface FabricApisOptions {
  /** Read at each call, so that a renewed key needs no restart. */
  readonly sources: () => CredentialSources;
  readonly limits: KubeLimits;
  readonly onRequest?: (fabric: { id: string; name: string }) => OnRequest;
}

/** Fabrics that are kept (Q3). */
const keptMax = 32;

export function openFabricApis({ sources, limits, onRequest }: FabricApisOptions): FabricApis {
  /** The one that ran last at the end. */
  const kept = new Map<string, { digest: string; api: OpenFabric }>();

  const forget = async (fabricId: string) => {
    const old = kept.get(fabricId);
    kept.delete(fabricId);
    await old?.api.close();
  };

  const keep = (fabricId: string, digest: string, api: OpenFabric): FabricApi => {
    kept.delete(fabricId);
    for (const [other, old] of kept) {
      if (kept.size < keptMax) break;
      if (old.api.rest()) kept.delete(other);
    }
    kept.set(fabricId, { digest, api });
    return api;
  };

  return {
    get kept() {
      return kept.size;
    },
    async of(settings) {
      const fabric = { id: settings.fabricId, name: settings.name };
      const ask = () => openCredential(settings.credential, fabric, sources());
      const credential = await ask();
      const digest = digestOf(settings, credential);
      const last = kept.get(fabric.id);
      if (last?.digest === digest) return keep(fabric.id, digest, last.api);
      await forget(fabric.id);
      const api = openFabricApi(
        {
          fabricName: settings.name,
          server: settings.server,
          caPem: settings.caPem || null,
          tlsServerName: settings.tlsServerName || null,
        },
        firstThen(credential, ask),
        limits,
        onRequest?.(fabric),
      );
      return keep(fabric.id, digest, api);
    },
    forget,
    async close() {
      await Promise.all([...kept.keys()].map(forget));
    },
  };
}

/** What was just read, and after that (a 401 came) whatever is there then. */
function firstThen(credential: Credential, ask: () => Promise<Credential>): () => Promise<Credential> {
  let first: Credential | null = credential;
  return async () => {
    const answer = first ?? (await ask());
    first = null;
    return answer;
  };
}

function digestOf(settings: FabricSettings, credential: Credential): string {
  const { name, server, caPem, tlsServerName } = settings;
  return createHash('sha256')
    .update(JSON.stringify([name, server, caPem, tlsServerName, credential]))
    .digest('base64');
}

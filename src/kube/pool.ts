// The fabrics that this process is talking to: connections live longer than a run, credentials do not.
//
//   Q1. A run gets a credential that was read for it (`of` opens it anew). Where nothing changed since the last run, it
//       also gets the connections of the last run, so that a cycle need not pay for TLS handshakes.
//   Q2. A changed address, CA or credential closes the old connections.
//   Q3. The connections of a few fabrics are kept, those that ran last: each is some 100 KiB of memory here, and one
//       there. Who has many fabrics has long pauses between the runs of one, and would keep them for nothing.
//   Q4. No credential is kept here in clear: only a digest, to tell whether it changed.

import { createHash } from 'node:crypto';
import type { Credential, FabricApi } from '../ports/fabric-api.ts';
import type { FabricSettings } from '../ports/store.ts';
import { type OpenFabric, openFabricApi } from './api.ts';
import { type CredentialSources, openCredential } from './credentials.ts';
import type { KubeLimits } from './limits.ts';
import type { OnRequest } from './transport.ts';

export interface FabricApis {
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

/** Fabrics whose connections are kept (Q3). */
const connectedMax = 32;

export function openFabricApis({ sources, limits, onRequest }: FabricApisOptions): FabricApis {
  const kept = new Map<string, { digest: string; api: OpenFabric }>();
  /** Those that may have connections, the one that ran last at the end. */
  const connected = new Map<string, OpenFabric>();

  const forget = async (fabricId: string) => {
    const old = kept.get(fabricId);
    kept.delete(fabricId);
    connected.delete(fabricId);
    await old?.api.close();
  };

  const connects = (fabricId: string, api: OpenFabric): FabricApi => {
    connected.delete(fabricId);
    for (const [other, open] of connected) {
      if (connected.size < connectedMax) break;
      if (open.rest()) connected.delete(other);
    }
    connected.set(fabricId, api);
    return api;
  };

  return {
    async of(settings) {
      const fabric = { id: settings.fabricId, name: settings.name };
      const ask = () => openCredential(settings.credential, fabric, sources());
      const credential = await ask();
      const digest = digestOf(settings, credential);
      const last = kept.get(fabric.id);
      if (last?.digest === digest) return connects(fabric.id, last.api);
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
      kept.set(fabric.id, { digest, api });
      return connects(fabric.id, api);
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

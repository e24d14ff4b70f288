// The credential in use, and the connections that belong to it.
//
//   U1. Requests that come together share one asking for the credential.
//   U2. After `close` there is no connection, and none comes.
//   U3. After `rest` there is none either, and what was read of the credential is forgotten; the next request begins anew.

import { Agent } from 'undici';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Credential, FabricAddress } from '../ports/fabric-api.ts';
import type { ServerUrl } from './address.ts';
import { type Connector, openConnector } from './connector.ts';
import { type KubeLimits, kubeLimitsDefault } from './limits.ts';
import { secureContextFor } from './tls.ts';
import { assertToken } from './token.ts';

interface Connections {
  readonly agent: Agent;
  readonly connector: Connector;
}

export interface Opened {
  readonly credential: Credential;
  readonly connections: Connections;
}

export interface Session {
  readonly closed: boolean;
  /** The credential in use, asked for where there is none yet. The same promise until it fails or is refused. */
  opened(): Promise<Opened>;
  /** What to use after a 401 on `refused`; asks anew, unless another request already has. */
  renewed(refused: Promise<Opened>): Promise<Opened>;
  /** A text without the tokens of this session. Scrub first, shorten afterwards: half a token is one, too. */
  scrub(text: string): string;
  /** To be called while no request is in hand (U3). */
  rest(): void;
  close(): Promise<void>;
}

export function openSession(options: {
  readonly place: string;
  readonly server: ServerUrl;
  readonly address: FabricAddress;
  readonly limits: KubeLimits;
  readonly askCredential: () => Promise<Credential>;
}): Session {
  const { place, server, address, limits } = options;
  const all = new Set<Connections>();
  const tokens = new Set<string>();
  let current: Promise<Opened> | null = null;
  let closed = false;

  const connectionsFor = (credential: Credential): Connections => {
    const connector = openConnector({
      place,
      server,
      tlsServerName: address.tlsServerName,
      secureContext: secureContextFor(address, credential),
      timeoutMs: limits.connectTimeoutMs,
    });
    const agent = new Agent({
      connect: connector.connect,
      connections: limits.connectionsMax ?? kubeLimitsDefault.connectionsMax,
      allowH2: false,
      pipelining: 1,
      // The deadline of the whole request covers the wait for headers.
      headersTimeout: 0,
      bodyTimeout: limits.idleTimeoutMs,
      // kube-apiserver keeps an idle connection for 90 s; ours must be the side that lets go first,
      // and not before the usual interval of a minute is over.
      keepAliveTimeout: 75_000,
    });
    const connections = { agent, connector };
    all.add(connections);
    return connections;
  };

  const open = async (refused: Opened | null): Promise<Opened> => {
    const credential = await options.askCredential().catch((thrown) => {
      throw FabricFailure.from(thrown);
    });
    if (credential.kind === 'token') {
      assertToken(credential.token, `the token of ${address.fabricName}`);
      tokens.add(credential.token);
    }
    if (closed) throw closedFailure(place);
    const keep = refused !== null && sameConnections(refused.credential, credential);
    return { credential, connections: keep ? refused.connections : connectionsFor(credential) };
  };

  const closeAll = async () => {
    const open = [...all];
    all.clear();
    for (const { connector } of open) connector.closeAll();
    await Promise.all(open.map(({ agent }) => agent.destroy()));
  };

  const use = (opening: Promise<Opened>): Promise<Opened> => {
    // One that could not be read is asked for again by the next request.
    opening.catch(() => {
      if (current === opening) current = null;
    });
    current = opening;
    return opening;
  };

  return {
    get closed() {
      return closed;
    },
    opened: () => current ?? use(open(null)),
    async renewed(refused) {
      if (current !== null && current !== refused) return current;
      return use(refused.then(open));
    },
    scrub(text) {
      let clean = text;
      for (const token of tokens) clean = clean.replaceAll(token, '•••');
      return clean;
    },
    rest() {
      current = null;
      closeAll().catch(() => {});
    },
    async close() {
      closed = true;
      await closeAll();
    },
  };
}

/** A token travels in a header, so its connections can stay. A certificate was shown when they were made. */
function sameConnections(before: Credential, now: Credential): boolean {
  if (before.kind === 'token') return now.kind === 'token';
  return now.kind === 'client_certificate' && before.certPem === now.certPem && before.keyPem === now.keyPem;
}

export function closedFailure(place: string): FabricFailure {
  return new FabricFailure('CANCELLED', `${place}: the connections were closed`);
}

// How undici gets its connections to one fabric. Its own connector is not used because a closed fabric has to leave
// no socket behind, also none that is still connecting, and because a timeout should say what it waited for.

import { isIP } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { buildConnector } from 'undici';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { ServerUrl } from './address.ts';
import { identityOptions } from './tls.ts';

export interface Connector {
  readonly connect: buildConnector.connector;
  /** Destroys every connection, whatever it is doing. */
  closeAll(): void;
}

/**
 * Opens nothing yet. Each connection is verified by `secureContext` and the server's name, and given up after `timeoutMs` with
 * `TIMED_OUT`, which says what it waited for.
 */
export function openConnector(options: {
  readonly place: string;
  readonly server: ServerUrl;
  readonly tlsServerName: string | null;
  readonly secureContext: SecureContext;
  readonly timeoutMs: number;
}): Connector {
  const { place, server, timeoutMs } = options;
  const sockets = new Set<TLSSocket>();
  const identity = identityOptions(server, options.tlsServerName);

  const connect: buildConnector.connector = (_request, callback) => {
    let waitingFor = isIP(server.hostname) === 0 ? 'the name lookup' : 'the TCP connection';
    // No session is resumed: that would spare the certificate, and one that has expired or changed since would pass.
    const socket = connectTls({ ...identity, secureContext: options.secureContext });
    sockets.add(socket);
    const timer = setTimeout(() => {
      socket.destroy(
        new FabricFailure('TIMED_OUT', `${place}: ${waitingFor} took longer than ${timeoutMs} ms`, {
          facts: { phase: waitingFor },
        }),
      );
    }, timeoutMs);
    let answer: ((...answer: Parameters<buildConnector.Callback>) => void) | null = callback;
    const settle = (...given: Parameters<buildConnector.Callback>) => {
      clearTimeout(timer);
      answer?.(...given);
      answer = null;
    };
    socket.setNoDelay(true).setKeepAlive(true, 15_000);
    socket.once('lookup', () => {
      waitingFor = 'the TCP connection';
    });
    socket.once('connect', () => {
      waitingFor = 'the TLS handshake';
    });
    socket.once('secureConnect', () => settle(null, socket));
    socket.on('error', (error) => settle(error, null));
    socket.once('close', () => {
      sockets.delete(socket);
      // Most close long after they were handed out; an error is not free.
      if (answer)
        settle(new FabricFailure('UNREACHABLE', `${place}: the connection was closed during ${waitingFor}`), null);
    });
  };

  return {
    connect,
    closeAll() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

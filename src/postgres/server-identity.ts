// For whom the certificate of a database server must be.
//
// The driver names no server to TLS where the host is an address, and Node then takes `localhost` for the name that the
// certificate must carry. So it is said here: the host that this very socket was opened to, name or address.

import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** The options of a TLS connection over a socket that `pool.ts` opened. */
interface Over {
  readonly socket?: { readonly host?: unknown };
}

/** In place of Node's own, which calls it on the options of the connection: only there stands which host is meant. */
export function checkHostOf(this: Over | undefined, _name: string, certificate: PeerCertificate): Error | undefined {
  const host = this?.socket?.host;
  if (typeof host !== 'string') return new Error('it is not known which host this certificate should be for');
  return checkServerIdentity(host, certificate);
}

// One look at the way to a fabric, layer by layer, for a person who wants to know where it ends. Nothing is sent but
// handshakes.

import type { X509Certificate } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';
import { systemClock } from '../clock.ts';
import type { FabricAddress } from '../ports/fabric-api.ts';
import type { ServerUrl } from './address.ts';
import { reachFailure } from './errors.ts';
import { identityOptions, secureContextFor } from './tls.ts';

/** What a layer needs to know. */
export interface Way {
  readonly place: string;
  readonly server: ServerUrl;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** @returns the addresses of the host. */
export async function lookUp(way: Way): Promise<readonly string[]> {
  const found = await within<LookupAddress[]>(way, 'the name lookup', (settle) => {
    lookup(way.server.hostname, { all: true }).then(
      (addresses) => settle(null, addresses),
      (error) => settle(error),
    );
  });
  return found.map(({ address }) => address);
}

/** @returns the address that answered. */
export function reachTcp(way: Way): Promise<string> {
  return within(way, 'the TCP connection', (settle) => {
    const socket = connectTcp({ host: way.server.hostname, port: way.server.port });
    socket.once('connect', () => settle(null, socket.remoteAddress ?? way.server.hostname));
    socket.on('error', settle);
    return socket;
  });
}

/** The server's certificate in words, and why it is not accepted, or null. */
export interface Shown {
  readonly certificate: string;
  readonly failure: FabricFailure | null;
}

/**
 * Shakes hands once and hangs up.
 * @returns also what is refused: why is in it
 * @throws the system's error or `TIMED_OUT` where no handshake comes about at all
 */
export function lookAtCertificate(way: Way, address: FabricAddress): Promise<Shown> {
  const { place, server } = way;
  return within(way, 'the TLS handshake', (settle) => {
    const socket = connectTls({
      ...identityOptions(server, address.tlsServerName),
      secureContext: secureContextFor(address, null),
      // Node verifies all the same and says what it found; so a person sees the certificate that is refused. Nothing
      // is written to this connection, and it serves nothing else.
      rejectUnauthorized: false,
    });
    socket.once('secureConnect', () => {
      // Asked once: a second call was seen to answer nothing (Node 24.21).
      const certificate = socket.getPeerX509Certificate();
      settle(null, {
        certificate: certificate === undefined ? 'no certificate' : describe(certificate),
        failure: socket.authorized ? null : refusal(socket.authorizationError, certificate),
      });
    });
    socket.on('error', settle);
    return socket;
  });

  /** As if the connection had been refused with what Node found. */
  function refusal(found: unknown, certificate: X509Certificate | undefined): FabricFailure {
    const error = Object.assign(new Error('the certificate is not accepted'), {
      code: String(found),
      host: address.tlsServerName ?? server.hostname,
      cert: { subjectaltname: certificate?.subjectAltName },
    });
    return reachFailure(place, error, 'asking');
  }
}

function describe(certificate: X509Certificate): string {
  const daysLeft = Math.floor((certificate.validToDate.getTime() - systemClock.nowMs()) / 86_400_000);
  const ends = daysLeft < 0 ? 'expired' : daysLeft < 30 ? `expires in ${daysLeft} days` : `valid for ${daysLeft} days`;
  const parts = [
    certificate.subject,
    `for ${certificate.subjectAltName ?? 'no names'}`,
    `issued by ${certificate.issuer}`,
    `${ends} (${certificate.validFromDate.toISOString()} to ${certificate.validToDate.toISOString()})`,
    `SHA-256 ${certificate.fingerprint256}`,
  ];
  return parts.map((part) => oneLine(part, 200)).join('; ');
}

type Settle<Value> = (...outcome: [error: null, value: Value] | [error: unknown]) => void;

/** Runs one layer until it settles, its time is up, or the caller gives up; then its socket is gone. */
async function within<Value>(
  { place, timeoutMs, signal }: Way,
  what: string,
  start: (settle: Settle<Value>) => Socket | undefined | undefined,
): Promise<Value> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(
    () => reject(new FabricFailure('TIMED_OUT', `${place}: ${what} took longer than ${timeoutMs} ms`)),
    timeoutMs,
  );
  let socket: Socket | undefined | undefined;
  try {
    socket = start((...outcome) => {
      if (outcome.length === 2) resolve(outcome[1]);
      else reject(reachFailure(place, outcome[0], 'asking'));
    });
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    if (socket) socket.destroy();
  }
}

/** Whether the host is an address already. */
export function isAddress({ hostname }: ServerUrl): boolean {
  return isIP(hostname) !== 0;
}

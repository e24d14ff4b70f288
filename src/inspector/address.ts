// Where the inspector listens: a port on loopback, or a Unix socket. Nothing else: it tells what a network is made of.

import { NotReadable, quoted } from '../duration.ts';

export type InspectorAddress =
  | { readonly kind: 'tcp'; readonly host: '127.0.0.1' | '::1' | 'localhost'; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const wanted =
  'loopback only: 127.0.0.1:PORT, [::1]:PORT, localhost:PORT or unix:/PATH; to look from elsewhere, forward the port with ssh -L';

/** @returns null for an empty text or `off`. @throws NotReadable */
export function readInspectorAddress(text: string): InspectorAddress | null {
  if (text === '' || text === 'off') return null;
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (!path.startsWith('/')) throw new NotReadable(`${quoted(text)}: the path of a socket must be absolute`);
    // `sun_path` holds 108 bytes, the last of them zero.
    if (Buffer.byteLength(path) > 107) throw new NotReadable('the path of a socket is at most 107 bytes long');
    return { kind: 'unix', path };
  }
  const [, host, digits] = /^(127\.0\.0\.1|\[::1\]|localhost):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (host === undefined || port > 65_535) throw new NotReadable(`${quoted(text)} is refused: ${wanted}`);
  return { kind: 'tcp', host: host === '[::1]' ? '::1' : (host as '127.0.0.1' | 'localhost'), port };
}

/** @returns null for an empty text or `off`. @throws NotReadable also for a Unix socket, which no viewer can attach to */
export function readLoopbackPort(text: string): { readonly host: string; readonly port: number } | null {
  const address = readInspectorAddress(text);
  if (address === null || address.kind === 'tcp') return address;
  throw new NotReadable('a WebSocket for viewers needs a port: 127.0.0.1:PORT, [::1]:PORT or localhost:PORT');
}

/**
 * The values of `Host` that are meant for us, and no others: a name that somebody else's DNS points at loopback is not
 * among them. A socket's port is that of whoever forwards it, so any is taken there.
 */
export function isOurHost(address: InspectorAddress, port: number, host: string): boolean {
  const [, name, digits] = /^(127\.0\.0\.1|\[::1\]|localhost)(?::([0-9]{1,5}))?$/.exec(host) ?? [];
  if (name === undefined) return false;
  return address.kind === 'unix' || Number(digits ?? 80) === port;
}

/** What a person types into a browser; for a socket, once it is forwarded. */
export function baseUrl(address: InspectorAddress, port: number): string {
  if (address.kind === 'unix') return 'http://localhost:9190';
  return `http://${address.host === '::1' ? '[::1]' : address.host}:${port}`;
}

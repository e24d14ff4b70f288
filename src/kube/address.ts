// Where a fabric is: its server URL, read strictly, because a URL that is quietly understood as another one sends a
// token to a stranger.

import { isIPv4, isIPv6 } from 'node:net';
import { FabricFailure, oneLine } from '../../machines/fabric/failure.ts';

export interface ServerUrl {
  /** `https://host:port/prefix`, canonical, without a trailing slash. */
  readonly href: string;
  /** `https://host:port` */
  readonly origin: string;
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** For people and for headers: `host:port`, IPv6 in brackets, the port always there. */
  readonly hostPort: string;
  /** Empty, or `/some/prefix` (an API behind a gateway); paths are appended to it. */
  readonly prefix: string;
}

/** More than any host name, port and path of an API need. */
const lengthMax = 2_048;

/**
 * Reads the URL of a Kubernetes API.
 *
 * @throws FabricFailure `SETTINGS_INVALID`; a password in the text is not repeated
 */
export function readServerUrl(text: string): ServerUrl {
  const given = text.trim();
  const refuse = (why: string): never => {
    throw new FabricFailure('SETTINGS_INVALID', `the server URL ${JSON.stringify(redactUrl(given))} ${why}`, {
      hint: 'Give it as https://HOST:6443, with nothing behind the port but perhaps a path.',
    });
  };
  if (given === '') {
    throw new FabricFailure('SETTINGS_INVALID', 'no server URL is set', {
      hint: 'Set it: fabric-syncd fabric set NAME --server https://HOST:6443',
    });
  }
  if (given.length > lengthMax) refuse(`has ${given.length} characters, more than ${lengthMax}`);
  if (/^http:\/\//i.test(given)) refuse('is not encrypted: only https is spoken, since a token is sent');
  if (!/^https:\/\//i.test(given)) refuse('does not begin with https://');
  // The URL standard drops tabs and line ends and turns backslashes into slashes. A URL that needs that is a mistake.
  if (/[\s\\]|\p{Cc}/u.test(given)) refuse('has a space, a control character or a backslash in it');
  const written = /^https:\/\/([^/?#]*)/i.exec(given)?.[1] ?? '';
  if (written.includes('@')) refuse('has a user name or password in it: give the credential by itself');
  if (/[?#]/.test(given)) refuse('has a query or a fragment in it');
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return refuse('is not a valid URL');
  }
  if (url.port === '0') refuse('has port 0');
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // `010.0.0.1` (octal) and `1` are other addresses than they look like.
  if (isIPv4(hostname) && written.replace(/:\d*$/, '') !== hostname) {
    refuse(`names its host in a way that is read as ${hostname}: write that, if it is meant`);
  }
  const port = url.port === '' ? 443 : Number(url.port);
  const hostPort = `${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
  const prefix = url.pathname.replace(/\/+$/, '');
  return { href: `${url.origin}${prefix}`, origin: url.origin, hostname, port, hostPort, prefix };
}

/** A URL as it may be shown: without a password, without a query. Works on text that is no URL, too. */
export function redactUrl(text: string): string {
  // Looked for from both ends: a pattern begins anew at each slash of a text that is nothing but slashes.
  const end = text.lastIndexOf('@');
  const slashes = text.indexOf('//');
  // What is before an @ may be a password also where somebody forgot the scheme, whatever slashes come behind it.
  const afterScheme = slashes >= 0 && slashes < text.indexOf('@');
  const login = afterScheme ? slashes + 2 : 0;
  const shown = end >= 0 ? `${text.slice(0, login)}•••${text.slice(end)}` : text;
  return oneLine(shown.replace(/([?#]).*$/s, '$1•••'), 200);
}

/** How failures name a fabric: `lab (cn.example:6443)`, with the URL's own path where it has one: it may be the mistake. */
export function placeOf(fabricName: string, server: ServerUrl): string {
  return `${fabricName} (${server.hostPort}${server.prefix})`;
}

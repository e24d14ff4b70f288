// A database URL in the form of libpq's: `postgres://USER:PASSWORD@HOST:PORT,HOST/DATABASE?host=/FOLDER&sslmode=verify-full`.
// Read here and not by the driver, which knows no `?host=` and puts what it does not know into the session's settings.
//
//   A1. Nothing is encrypted unless the URL says so: without an `sslmode`, libpq would try first. What it would get so is
//       no protection from whoever can change the traffic, and `allow` is no more: both are `disable` here.
//   A2. Everything else means what libpq makes of it.

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { checkHostOf } from './server-identity.ts';

export interface DatabaseHost {
  /** A name, an address, or (with a leading slash) the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

export type DatabaseTls =
  | { readonly kind: 'off' }
  /** Encrypted, the server not verified: what `sslmode=require` says. `prefer` goes on without where there is none. */
  | { readonly kind: 'unverified'; readonly mode: 'prefer' | 'require' }
  /** `hostname` false is `verify-ca`. */
  | { readonly kind: 'verified'; readonly hostname: boolean; readonly caFile: string | null };

export interface DatabaseAddress {
  /** At least one; tried in turn. */
  readonly hosts: readonly [DatabaseHost, ...DatabaseHost[]];
  readonly user: string | null;
  readonly password: string | null;
  readonly database: string | null;
  readonly tls: DatabaseTls;
  /** Session settings beside ours. */
  readonly settings: Readonly<Record<string, string>>;
}

const shape =
  /^postgres(?:ql)?:\/\/(?:(?<login>[^@/?#]*)@)?(?<hosts>[^/?#]*)(?:\/(?<database>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const portDefault = 5432;

/** @throws Error in one sentence, without the URL: it may hold a password */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const parts = shape.exec(url)?.groups;
  if (!parts) throw new Error('not a database URL: expected postgres://USER:PASSWORD@HOST:PORT/DATABASE');
  const [user = '', password] = split(parts.login ?? '', ':');
  const query = new Map(new URLSearchParams(parts.query ?? ''));
  const take = (name: string) => {
    const value = query.get(name);
    query.delete(name);
    return value === '' ? undefined : value;
  };
  const port = take('port');
  const hosts = (take('host') ?? decode(parts.hosts ?? '')).split(',').map((host) => parseHost(host, port));
  const [first = { host: 'localhost', port: portDefault }, ...others] = hosts;
  const tls = parseTls(take('sslmode') ?? 'disable', take('sslrootcert'));
  const names = { user: take('user'), password: take('password'), database: take('dbname') };
  // libpq's own; ours are set in `connect.ts`.
  for (const name of ['connect_timeout', 'application_name', 'target_session_attrs']) query.delete(name);
  return {
    hosts: [first, ...others],
    user: names.user ?? (decode(user) || null),
    password: names.password ?? (password === undefined ? null : decode(password)),
    database: names.database ?? (decode(parts.database ?? '') || null),
    tls,
    settings: Object.fromEntries(query),
  };
}

/** For people: where it is, never how to get in. */
export function describeDatabase({ hosts, database }: DatabaseAddress): string {
  const where = hosts.map(({ host, port }) => (host.startsWith('/') ? host : `${host}:${port}`)).join(',');
  return database === null ? where : `${where}/${database}`;
}

function parseHost(text: string, portInQuery: string | undefined): DatabaseHost {
  if (text.startsWith('/')) return { host: text, port: parsePort(portInQuery) };
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || !URL.canParse(`postgres://${bracketed === undefined ? host : `[${host}]`}`)) {
    throw new Error('the database URL has a host that cannot be read');
  }
  return { host: host || 'localhost', port: parsePort(port ?? portInQuery) };
}

function parsePort(text: string | undefined): number {
  if (text === undefined || text === '') return portDefault;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(
    'the database URL has a port that is not a number between 1 and 65535 (a slash in a password is written as %2F)',
  );
}

function parseTls(mode: string, caFile: string | undefined): DatabaseTls {
  switch (mode) {
    case 'disable':
    case 'allow':
      return { kind: 'off' };
    case 'prefer':
    case 'require':
      // As libpq does: with a CA at hand, `require` verifies against it.
      if (mode === 'require' && caFile !== undefined) return { kind: 'verified', hostname: false, caFile };
      return { kind: 'unverified', mode };
    case 'verify-ca':
    case 'verify-full':
      return {
        kind: 'verified',
        hostname: mode === 'verify-full',
        caFile: caFile === 'system' ? null : (caFile ?? null),
      };
    default:
      throw new Error(
        'the database URL has an sslmode that is none of disable, prefer, require, verify-ca, verify-full',
      );
  }
}

/**
 * What the driver's `ssl` option and `tls.connect` understand.
 * @param signal of the connections that are opened now: ends them
 */
export function tlsOptions(tls: DatabaseTls, signal: () => AbortSignal): false | 'prefer' | ConnectionOptions {
  // Asked anew for each connection.
  const ended = {
    get signal() {
      return signal();
    },
  };
  switch (tls.kind) {
    case 'off':
      return false;
    case 'unverified':
      // Only the driver's own word lets it go on without TLS.
      return tls.mode === 'prefer' ? 'prefer' : Object.assign(ended, { rejectUnauthorized: false });
    case 'verified':
      return Object.assign(ended, {
        rejectUnauthorized: true,
        ...(tls.caFile !== null && { ca: readFileSync(tls.caFile, 'utf8') }),
        checkServerIdentity: tls.hostname ? checkHostOf : () => undefined,
      });
  }
}

function split(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('the database URL has a "%" that is not an escape: write it as %25');
  }
}

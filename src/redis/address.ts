// Where a Redis is, read off its URL by us and not by the client, whose own reading lets the query of a URL overrule
// every option.

/** Where to connect, and with what. `shown` and `scrub` are for people; the rest is never printed. */
export interface RedisAddress {
  readonly path: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  readonly tls: boolean;
  /** `redis://10.0.0.5:6379/2`, `unix:///run/redis.sock`: without user and password. */
  readonly shown: string;
}

/**
 * `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, `unix://[:password@localhost]/path/to.sock[?db=2]`;
 * or a bare path.
 * @throws TypeError for anything else, without quoting it
 */
export function readRedisUrl(text: string): RedisAddress {
  const url = text.startsWith('/') ? parse(`unix://${text}`) : parse(text);
  const login = {
    username: unescaped(url.username) || undefined,
    password: unescaped(url.password) || undefined,
  };
  if (url.protocol === 'unix:') {
    const path = unescaped(url.pathname);
    const db = readDb(url.searchParams.get('db') ?? '');
    const shown = `unix://${path}${db === 0 ? '' : `?db=${db}`}`;
    return { path, host: undefined, port: undefined, ...login, db, tls: false, shown };
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw new TypeError('the URL of a Redis begins with redis://, rediss:// or unix://');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
  const port = url.port === '' ? 6379 : Number(url.port);
  const db = readDb(url.pathname.slice(1) || (url.searchParams.get('db') ?? ''));
  const shown = `${url.protocol}//${host.includes(':') ? `[${host}]` : host}:${port}${db === 0 ? '' : `/${db}`}`;
  return { path: undefined, host, port, ...login, db, tls: url.protocol === 'rediss:', shown };
}

function parse(text: string): URL {
  if (!URL.canParse(text)) throw new TypeError('the URL of a Redis cannot be read');
  return new URL(text);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError('the URL of a Redis has a % that is no escape: write it as %25');
  }
}

function readDb(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new TypeError('the database in the URL of a Redis is a small number');
  return Number(text);
}

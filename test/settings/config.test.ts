// G1 to G3 are those of `src/config.ts`.

import { describe, expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { systemClock } from '../../src/clock.ts';
import { ConfigProblems, describeConfig, type Environment, maskUrls, readConfig } from '../../src/config.ts';
import { openServers } from '../../src/servers.ts';
import { settings } from '../../src/settings.ts';

function problemsOf(
  env: Environment,
  ...more: Parameters<typeof readConfig> extends [Environment, ...infer Rest] ? Rest : never
) {
  try {
    readConfig(env, ...more);
  } catch (thrown) {
    if (thrown instanceof ConfigProblems) return thrown.problems;
    throw thrown;
  }
  return [];
}

describe('defaults', () => {
  test('an empty environment is a right one, with everything at its default', () => {
    expect(readConfig({})).toEqual({
      databaseUrl: null,
      redisUrl: 'redis://127.0.0.1:6379',
      lockRedisUrls: ['redis://127.0.0.1:6379'],
      redisPrefix: 'fabric-syncd',
      keyFile: null,
      credentialsDirectory: null,
      concurrency: 10,
      readsPerFabric: 4,
      leaseTtlMs: 30_000,
      runDeadlineMs: 300_000,
      sweepIntervalMs: 5_000,
      gracePeriodMs: 30_000,
      historyKeepMs: 30 * 86_400_000,
      backoff: { baseMs: 2_000, capMs: 300_000, retriesMax: 5, probeMsMin: 600_000 },
      pageLimit: 500,
      runBytesMax: 256 * 1024 * 1024,
      kube: {
        connectTimeoutMs: 5_000,
        requestTimeoutMs: 30_000,
        idleTimeoutMs: 10_000,
        bodyBytesMax: 64 * 1024 * 1024,
      },
      adminSocket: '/run/fabric-syncd/admin.sock',
      metricsListen: null,
      inspector: null,
      inspectorControl: false,
      jaegerUrl: null,
      stately: null,
      logLevel: 'info',
      logFormat: 'auto',
    });
  });

  test('a variable that is set to nothing is one that is not set', () => {
    const empty = Object.fromEntries(Object.values(settings).map(({ name }) => [name, '']));
    expect(readConfig(empty)).toEqual(readConfig({}));
  });

  test('nobody can change it afterwards', () => {
    const config = readConfig({});
    for (const part of [config, config.kube, config.backoff, config.lockRedisUrls]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe('what is set', () => {
  test('is read with its unit', () => {
    const config = readConfig({
      DATABASE_URL: 'postgres://u:p@db/x',
      FABRIC_SYNCD_LEASE_TTL: '1m30s',
      FABRIC_SYNCD_BODY_MAX: '512KiB',
      FABRIC_SYNCD_CONCURRENCY: '25',
      FABRIC_SYNCD_HISTORY_KEEP: '0',
      FABRIC_SYNCD_LOG_LEVEL: 'debug',
      FABRIC_SYNCD_BACKOFF_BASE: '250ms',
    });
    expect(config).toMatchObject({
      databaseUrl: 'postgres://u:p@db/x',
      leaseTtlMs: 90_000,
      kube: { bodyBytesMax: 512 * 1024 },
      concurrency: 25,
      historyKeepMs: 0,
      logLevel: 'debug',
      backoff: { baseMs: 250 },
    });
  });

  test.each(['postgres://u:p@a:5432,b:5433,[::1]/x', 'postgres:///x?host=/run/a,/run/b'])(
    'a database may have several hosts: %s',
    (DATABASE_URL) => expect(readConfig({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL),
  );

  test('what only the opening of the database finds out is a problem of its setting too', () => {
    const DATABASE_URL = 'postgres://u:hunter2@db/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem';
    const config = readConfig({ DATABASE_URL });
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
    const open = () => openServers({ config, log, clock: systemClock, daemon: 'host/1/aaaaaa' });
    expect(open).toThrow(ConfigProblems);
    expect(open).toThrow(/DATABASE_URL: .*\/nowhere\/ca\.pem/);
    expect(open).not.toThrow(/hunter2/);
  });

  test('the lock’s nodes may be others than the Redis of the timers', () => {
    const { lockRedisUrls } = readConfig({
      FABRIC_SYNCD_LOCK_REDIS_URLS: 'redis://a, rediss://b:7000 ,unix:///run/c.sock',
    });
    expect(lockRedisUrls).toEqual(['redis://a', 'rediss://b:7000', 'unix:///run/c.sock']);
  });

  test('without Redis there is nobody to lock with either', () => {
    expect(readConfig({ REDIS_URL: 'none' })).toMatchObject({ redisUrl: null, lockRedisUrls: [] });
  });

  test('the admin socket lies in the runtime directory that systemd made', () => {
    expect(readConfig({ RUNTIME_DIRECTORY: '/run/a:/run/b' }).adminSocket).toBe('/run/a/admin.sock');
    const set = { RUNTIME_DIRECTORY: '/run/a', FABRIC_SYNCD_ADMIN_SOCKET: '/tmp/x.sock' };
    expect(readConfig(set).adminSocket).toBe('/tmp/x.sock');
  });
});

describe('systemd credentials', () => {
  const handed: Readonly<Record<string, string>> = {
    'database-url': 'postgres://u:p@db/x\n',
    'redis-url': 'redis://r\n',
  };
  const read = (directory: string, name: string) => (directory === '/creds' ? (handed[name] ?? null) : null);
  const env = { CREDENTIALS_DIRECTORY: '/creds' };

  test('are read where the variable is not set, without the line’s end', () => {
    expect(readConfig(env, read)).toMatchObject({
      databaseUrl: 'postgres://u:p@db/x',
      redisUrl: 'redis://r',
      credentialsDirectory: '/creds',
    });
  });

  test('give way to the variable', () => {
    expect(readConfig({ ...env, REDIS_URL: 'redis://mine' }, read).redisUrl).toBe('redis://mine');
  });

  test('one that cannot be read is a problem like any other, and does not stop the description', () => {
    const refuse = () => {
      throw new FabricFailure('CREDENTIAL_UNREADABLE', 'the systemd credential /creds/x may not be read by this user');
    };
    expect(problemsOf(env, refuse)).toContain(
      'DATABASE_URL: the systemd credential /creds/x may not be read by this user',
    );
    expect(describeConfig(env, refuse).find(({ name }) => name === 'DATABASE_URL')).toMatchObject({
      source: 'credential',
      value: '***',
    });
  });
});

describe('the address of the metrics', () => {
  test.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['noc-1.example:0', { host: 'noc-1.example', port: 0 }],
    [':9464', { host: '', port: 9464 }],
  ])('%s', (FABRIC_SYNCD_METRICS_LISTEN, address) => {
    expect(readConfig({ FABRIC_SYNCD_METRICS_LISTEN }).metricsListen).toEqual(address);
  });

  test.each(['9464', 'host', 'host:', 'host:99999', '::1:9464', 'http://host:1', 'host:1/metrics', 'a b:1'])(
    '%s is refused',
    (FABRIC_SYNCD_METRICS_LISTEN) => {
      expect(problemsOf({ FABRIC_SYNCD_METRICS_LISTEN })).toEqual([
        expect.stringMatching(/^FABRIC_SYNCD_METRICS_LISTEN: ".*" is not HOST:PORT, such as /),
      ]);
    },
  );
});

describe('what is refused', () => {
  test.each<[Environment, string | RegExp]>([
    [{ DATABASE_URL: 'mysql://db' }, 'DATABASE_URL: it must be a URL that begins with postgres:// or postgresql://'],
    [{ DATABASE_URL: 'host=db password=hunter2' }, /^DATABASE_URL: it must be a URL/],
    [
      { DATABASE_URL: 'postgres://u:hunter2/x@db' },
      /^DATABASE_URL: .* port .* \(a slash in a password is written as %2F\)$/,
    ],
    [{ DATABASE_URL: 'postgres://u:hunter2@h h/d' }, /^DATABASE_URL: the database URL has a host/],
    [{ DATABASE_URL: 'postgres://u:hunter2@h/d?sslmode=bogus' }, /^DATABASE_URL: .* sslmode that is none of/],
    [{ DATABASE_URL: 'postgres://u:hunter2@a:1,b:x/d' }, /^DATABASE_URL: the database URL has a port/],
    [{ REDIS_URL: 'http://r' }, /^REDIS_URL: it must be a URL that begins with redis:\/\/ or rediss:\/\/ or unix:\/\//],
    [{ REDIS_URL: 'redis://r/two' }, 'REDIS_URL: the database in the URL of a Redis is a small number'],
    [{ REDIS_URL: 'redis://:hunter2%@r' }, /^REDIS_URL: .* write it as %25$/],
    [{ FABRIC_SYNCD_LOCK_REDIS_URLS: 'redis://a,b' }, /^FABRIC_SYNCD_LOCK_REDIS_URLS: it must be a URL/],
    [{ FABRIC_SYNCD_LOCK_REDIS_URLS: 'redis://a,redis://a' }, /names a node twice/],
    [{ REDIS_URL: 'none', FABRIC_SYNCD_LOCK_REDIS_URLS: 'redis://a' }, /is of no use where REDIS_URL is none/],
    [{ FABRIC_SYNCD_REDIS_PREFIX: 'a{b}' }, /^FABRIC_SYNCD_REDIS_PREFIX: .*letters, digits/],
    [{ FABRIC_SYNCD_CONCURRENCY: '0' }, 'FABRIC_SYNCD_CONCURRENCY: 0 is not between 1 and 1000'],
    [{ FABRIC_SYNCD_CONCURRENCY: 'ten' }, 'FABRIC_SYNCD_CONCURRENCY: "ten" is not a whole number'],
    [{ FABRIC_SYNCD_CONCURRENCY: '1.5' }, /is not a whole number/],
    [{ FABRIC_SYNCD_LEASE_TTL: '30' }, /^FABRIC_SYNCD_LEASE_TTL: "30" is not a time such as 30s/],
    [{ FABRIC_SYNCD_LEASE_TTL: '10ms' }, 'FABRIC_SYNCD_LEASE_TTL: 10ms is not between 1s and 1h'],
    [{ FABRIC_SYNCD_LEASE_TTL: '-5s' }, /is not a time/],
    [{ FABRIC_SYNCD_BODY_MAX: '512MiB' }, /^FABRIC_SYNCD_RUN_BYTES_MAX must not be below FABRIC_SYNCD_BODY_MAX/],
    [{ FABRIC_SYNCD_BODY_MAX: '64MB' }, /^FABRIC_SYNCD_BODY_MAX: "64MB" is not a size such as 512KiB/],
    [{ FABRIC_SYNCD_LOG_LEVEL: 'verbose' }, /"verbose" is none of trace, debug, info/],
    [{ FABRIC_SYNCD_LOG_FORMAT: 'xml' }, /"xml" is none of auto, json, pretty/],
    [{ FABRIC_SYNCD_BACKOFF_BASE: '10m' }, 'FABRIC_SYNCD_BACKOFF_CAP must not be below FABRIC_SYNCD_BACKOFF_BASE'],
    [{ FABRIC_SYNCD_REQUEST_TIMEOUT: '1s' }, /^FABRIC_SYNCD_REQUEST_TIMEOUT must not be below/],
    [{ FABRIC_SYNCD_RUN_DEADLINE: '10s' }, /^FABRIC_SYNCD_RUN_DEADLINE must not be below/],
    [{ FABRIC_SYNCD_ADMIN_SOCKET: 'admin.sock' }, 'FABRIC_SYNCD_ADMIN_SOCKET must be an absolute path'],
    [{ FABRIC_SYNCD_ADMIN_SOCKET: `/${'x'.repeat(120)}` }, /longer than a Unix socket’s path may be/],
    [
      { FABRIC_SYNCD_LEASE_TTL_MS: '5' },
      'FABRIC_SYNCD_LEASE_TTL_MS is not a setting; did you mean FABRIC_SYNCD_LEASE_TTL?',
    ],
    [
      { FABRIC_SYNCD_CONCURENCY: '5' },
      'FABRIC_SYNCD_CONCURENCY is not a setting; did you mean FABRIC_SYNCD_CONCURRENCY?',
    ],
    [{ FABRIC_SYNCD_SOMETHING_ELSE_ALTOGETHER: '5' }, 'FABRIC_SYNCD_SOMETHING_ELSE_ALTOGETHER is not a setting'],
  ])('%j', (env, problem) => {
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem));
    expect(problems.join()).not.toContain('hunter2');
  });

  test('all of it at once (G2)', () => {
    const env = { FABRIC_SYNCD_CONCURRENCY: 'x', FABRIC_SYNCD_LEASE_TTL: 'y', DATABASE_URL: 'z', FABRIC_SYNCD_NO: '' };
    expect(problemsOf(env)).toHaveLength(4);
    expect(() => readConfig(env)).toThrow(/^configuration has 4 problem\(s\):\n {2}- /);
  });
});

describe('what is printed (G3)', () => {
  test.each([
    ['postgres://user:hunter2@db:5432/x', 'postgres://user:***@db:5432/x'],
    ['postgres://user@db/x', 'postgres://user@db/x'],
    ['postgres://user:hunter2@a:5432,b:5433/x', 'postgres://user:***@a:5432,b:5433/x'],
    ['postgres://user:hunter2/@a:5432,b:5433/x', '***'],
    ['redis://:hunter2@r', 'redis://:***@r'],
    ['redis://:hunter2@with@signs@r', 'redis://:***@r'],
    ['redis://:hunter2 with blanks@r', 'redis://:***@r'],
    ['redis://a,redis://u:hunter2@b,redis://u:hunter2,too@c', 'redis://a,redis://u:***@b,redis://u:***@c'],
    ['postgres://u:hunter2/with/slashes@db', '***'],
    ['postgres://db/x?user=u&password=hunter2&sslmode=require', 'postgres://db/x?user=u&password=***&sslmode=require'],
    ['hunter2', '***'],
    ['host=db password=hunter2', '***'],
    ['unix://:hunter2@localhost/run/redis.sock', 'unix://:***@localhost/run/redis.sock'],
    ['none', 'none'],
    ['', ''],
  ])('%j is shown as %j', (given, shown) => {
    expect(maskUrls(given)).toBe(shown);
  });

  test('every setting is described once, with its value, where that came from, and no secret', () => {
    const env = {
      CREDENTIALS_DIRECTORY: '/creds',
      DATABASE_URL: 'postgres://u:hunter2@db/x',
      FABRIC_SYNCD_CONCURRENCY: '3',
    };
    const described = describeConfig(env, (_, name) => (name === 'redis-url' ? 'redis://:hunter2@r' : null));
    expect(described.map(({ name }) => name)).toEqual(Object.values(settings).map(({ name }) => name));
    expect(JSON.stringify(described)).not.toContain('hunter2');
    const by = (name: string) => described.find((one) => one.name === name);
    expect(by('DATABASE_URL')).toMatchObject({ value: 'postgres://u:***@db/x', source: 'environment' });
    expect(by('REDIS_URL')).toMatchObject({ value: 'redis://:***@r', source: 'credential' });
    expect(by('FABRIC_SYNCD_CONCURRENCY')).toMatchObject({ value: '3', source: 'environment' });
    expect(by('FABRIC_SYNCD_LEASE_TTL')).toMatchObject({ value: '30s', source: 'default' });
    expect(by('FABRIC_SYNCD_ADMIN_SOCKET')).toMatchObject({ value: '/run/fabric-syncd/admin.sock', source: 'default' });
  });
});

test.each([
  'postgres:hunter2@h/d',
  'postgres:ann:hunter2@h/d',
  'poctgres:hunter2',
  'unix:hunter2@/run/x',
  'mailto:ann@hunter2',
])('a URL whose slashes were forgotten is not shown: %s', (url) => {
  const shown = JSON.stringify(
    describeConfig({ DATABASE_URL: url, REDIS_URL: url, FABRIC_SYNCD_LOCK_REDIS_URLS: url }),
  );
  expect(shown).not.toContain('hunter2');
});

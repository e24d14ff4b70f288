// Every setting, as one table: `readConfig`, `check-config`, `.env.example` and the README are made from it or checked
// against it.

export interface Setting {
  readonly name: string;
  /** As it would be written; empty where there is none. */
  readonly fallback: string;
  /** One line. */
  readonly description: string;
  /** Contains a password, perhaps. */
  readonly secret?: boolean;
  /** The systemd credential that is read where the variable is not set. */
  readonly credential?: string;
}

const table = <Key extends string>(rows: Readonly<Record<Key, Setting>>): Readonly<Record<Key, Setting>> => rows;

export const settings = table({
  databaseUrl: {
    name: 'DATABASE_URL',
    fallback: '',
    description: 'Postgres, the truth: postgres://user:password@host/database.',
    secret: true,
    credential: 'database-url',
  },
  redisUrl: {
    name: 'REDIS_URL',
    fallback: 'redis://127.0.0.1:6379',
    description: 'Redis, the clock and the lock; `none` to work without it.',
    secret: true,
    credential: 'redis-url',
  },
  lockRedisUrls: {
    name: 'FABRIC_SYNCD_LOCK_REDIS_URLS',
    fallback: '',
    description: 'Independent Redis nodes for the lock, separated by commas; REDIS_URL alone where empty.',
    secret: true,
    credential: 'lock-redis-urls',
  },
  redisPrefix: {
    name: 'FABRIC_SYNCD_REDIS_PREFIX',
    fallback: 'fabric-syncd',
    description: 'Begins every key, and is their hash tag.',
  },
  keyFile: {
    name: 'FABRIC_SYNCD_KEY_FILE',
    fallback: '',
    description: 'The key that seals stored credentials; else the systemd credential `fabric-syncd.key`.',
  },
  concurrency: {
    name: 'FABRIC_SYNCD_CONCURRENCY',
    fallback: '10',
    description: 'Fabrics that this daemon syncs at once.',
  },
  readsPerFabric: {
    name: 'FABRIC_SYNCD_READS_PER_FABRIC',
    fallback: '4',
    description: 'Requests to one fabric at once.',
  },
  leaseTtl: {
    name: 'FABRIC_SYNCD_LEASE_TTL',
    fallback: '30s',
    description: 'How long a lease lasts unless renewed; how long a crash can hold a fabric.',
  },
  runDeadline: {
    name: 'FABRIC_SYNCD_RUN_DEADLINE',
    fallback: '5m',
    description: 'A run that takes longer is given up.',
  },
  connectTimeout: {
    name: 'FABRIC_SYNCD_CONNECT_TIMEOUT',
    fallback: '5s',
    description: 'Name lookup, TCP and TLS of a fabric, together.',
  },
  requestTimeout: {
    name: 'FABRIC_SYNCD_REQUEST_TIMEOUT',
    fallback: '30s',
    description: 'One request to a fabric, to the last byte.',
  },
  idleTimeout: {
    name: 'FABRIC_SYNCD_IDLE_TIMEOUT',
    fallback: '10s',
    description: 'The longest silence in the middle of an answer.',
  },
  bodyMax: { name: 'FABRIC_SYNCD_BODY_MAX', fallback: '64MiB', description: 'The largest answer that is taken.' },
  runBytesMax: {
    name: 'FABRIC_SYNCD_RUN_BYTES_MAX',
    fallback: '256MiB',
    description: 'All lists of one run together; and no more objects than a KiB of it for each.',
  },
  pageLimit: {
    name: 'FABRIC_SYNCD_PAGE_LIMIT',
    fallback: '500',
    description: 'Objects asked for in one page of a list.',
  },
  sweepInterval: {
    name: 'FABRIC_SYNCD_SWEEP_INTERVAL',
    fallback: '5s',
    description: 'How often timers and leases are compared with Postgres.',
  },
  backoffBase: {
    name: 'FABRIC_SYNCD_BACKOFF_BASE',
    fallback: '2s',
    description: 'The first retry waits at most this long.',
  },
  backoffCap: { name: 'FABRIC_SYNCD_BACKOFF_CAP', fallback: '5m', description: 'No retry waits longer.' },
  retriesMax: {
    name: 'FABRIC_SYNCD_RETRIES_MAX',
    fallback: '5',
    description: 'Retries before a fabric is errored and only probed.',
  },
  probeMin: {
    name: 'FABRIC_SYNCD_PROBE_MIN',
    fallback: '10m',
    description: 'An errored fabric is probed no more often than this.',
  },
  gracePeriod: {
    name: 'FABRIC_SYNCD_GRACE_PERIOD',
    fallback: '30s',
    description: 'At SIGTERM, how long runs may finish before they are aborted.',
  },
  historyKeep: {
    name: 'FABRIC_SYNCD_HISTORY_KEEP',
    fallback: '30d',
    description: 'How long runs, changes and tombstones are kept; 0: for ever.',
  },
  adminSocket: {
    name: 'FABRIC_SYNCD_ADMIN_SOCKET',
    fallback: '',
    description: 'The admin API’s Unix socket; `admin.sock` in $RUNTIME_DIRECTORY or /run/fabric-syncd where empty.',
  },
  metricsListen: {
    name: 'FABRIC_SYNCD_METRICS_LISTEN',
    fallback: '',
    description:
      'HOST:PORT where Prometheus may scrape /metrics over TCP; off where empty. No login: choose who reaches it.',
  },
  inspector: {
    name: 'FABRIC_SYNCD_INSPECTOR',
    fallback: 'off',
    description:
      'Where the inspector’s page is served, on loopback only: 127.0.0.1:9190, [::1]:PORT, localhost:PORT, unix:/PATH, or off.',
  },
  inspectorControl: {
    name: 'FABRIC_SYNCD_INSPECTOR_CONTROL',
    fallback: 'off',
    description: 'on: who logs in by `fabric-syncd inspect --link` may act from the page; the same as `run --control`.',
  },
  jaegerUrl: {
    name: 'FABRIC_SYNCD_JAEGER_URL',
    fallback: '',
    description: 'Where the inspector links a run’s trace to: the base of a Jaeger, or a URL with {trace_id} in it.',
  },
  stately: {
    name: 'FABRIC_SYNCD_STATELY',
    fallback: 'off',
    description:
      'A WebSocket on loopback that viewers of the Stately Inspector attach to: 127.0.0.1:8080, or off. `/?fabric=NAME` is one fabric.',
  },
  logLevel: {
    name: 'FABRIC_SYNCD_LOG_LEVEL',
    fallback: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent.',
  },
  logFormat: {
    name: 'FABRIC_SYNCD_LOG_FORMAT',
    fallback: 'auto',
    description: 'json, pretty, or auto: pretty on a terminal.',
  },
});

// The configuration: read once from the environment and systemd's credentials, checked whole, and frozen.
//
//   G1. `readConfig` is a function of its arguments; importing this file does nothing.
//   G2. All problems are told at once, each with what to do, and a misspelt name with the right one.
//   G3. Nothing that is printed from here shows a secret.

import type { BackoffPolicy } from '../machines/fabric/backoff.ts';
import { FabricFailure } from '../machines/fabric/failure.ts';
import { formatDuration, NotReadable, parseDuration, parseSize } from './duration.ts';
import { type InspectorAddress, readInspectorAddress, readLoopbackPort } from './inspector/address.ts';
import { type LogLevel, logLevels } from './log.ts';
import { nearest } from './nearest.ts';
import { parseDatabaseUrl } from './postgres/address.ts';
import { readRedisUrl } from './redis/address.ts';
import { type Setting, settings } from './settings.ts';

/** Host empty: every address of this machine. Port 0: any that is free. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Config {
  /** Null where it is not set: verbs that need Postgres say so. */
  readonly databaseUrl: string | null;
  /** Null: the mode without Redis, by choice. */
  readonly redisUrl: string | null;
  /** Independent nodes for the lock; empty without Redis. */
  readonly lockRedisUrls: readonly string[];
  readonly redisPrefix: string;
  /** The key that seals credentials: a path, or null. */
  readonly keyFile: string | null;
  /** systemd's `$CREDENTIALS_DIRECTORY`, or null. */
  readonly credentialsDirectory: string | null;
  readonly concurrency: number;
  readonly readsPerFabric: number;
  readonly leaseTtlMs: number;
  readonly runDeadlineMs: number;
  readonly sweepIntervalMs: number;
  readonly gracePeriodMs: number;
  /** 0: for ever. */
  readonly historyKeepMs: number;
  readonly backoff: BackoffPolicy;
  readonly pageLimit: number;
  readonly runBytesMax: number;
  readonly kube: {
    readonly connectTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly idleTimeoutMs: number;
    readonly bodyBytesMax: number;
  };
  readonly adminSocket: string;
  /** Null: the metrics are on the admin socket alone. */
  readonly metricsListen: ListenAddress | null;
  /** Null: no page is served. */
  readonly inspector: InspectorAddress | null;
  readonly inspectorControl: boolean;
  /** The base of a Jaeger, or a URL with `{trace_id}` in it; null where none is set. */
  readonly jaegerUrl: string | null;
  /** Where viewers of the Stately Inspector attach; null where they cannot. */
  readonly stately: { readonly host: string; readonly port: number } | null;
  readonly logLevel: LogLevel;
  readonly logFormat: 'auto' | 'json' | 'pretty';
}

/** Everything that is wrong with the configuration, a line each. */
export class ConfigProblems extends Error {
  override readonly name = 'ConfigProblems';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`configuration has ${problems.length} problem(s):\n${problems.map((one) => `  - ${one}`).join('\n')}`);
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a file of systemd's credentials directory; null where it is absent. */
export type ReadCredential = (directory: string, name: string) => string | null;

/**
 * @param readCredential how `database-url` and the like are read where systemd hands them over
 * @throws ConfigProblems with every problem
 */
export function readConfig(env: Environment, readCredential: ReadCredential = () => null): Config {
  const problems: string[] = misspelt(env);
  const credentialsDirectory = env.CREDENTIALS_DIRECTORY || null;
  const text = (setting: Setting): string => {
    const given = env[setting.name];
    if (given !== undefined && given !== '') return given;
    const handed =
      credentialsDirectory && setting.credential ? readCredential(credentialsDirectory, setting.credential) : null;
    return handed?.trim() || setting.fallback;
  };
  const read = <Value>(setting: Setting, parse: (text: string) => Value, otherwise: Value): Value => {
    try {
      return parse(text(setting));
    } catch (problem) {
      // Only our own words are told: another error's text may quote the value.
      const ours = problem instanceof NotReadable || problem instanceof FabricFailure;
      problems.push(`${setting.name}: ${ours ? problem.message : 'it cannot be read'}`);
      return otherwise;
    }
  };
  const { url, list, whole, time, size, word } = readers(read);

  const redisUrl = url(settings.redisUrl, redisSchemes, readRedisUrl);
  const lockUrls = list(settings.lockRedisUrls, redisSchemes, readRedisUrl);
  const config: Config = {
    databaseUrl: read(settings.databaseUrl, databaseUrl, null),
    redisUrl,
    lockRedisUrls: redisUrl === null ? [] : lockUrls.length > 0 ? lockUrls : [redisUrl],
    redisPrefix: word(settings.redisPrefix, /^[A-Za-z0-9._:-]{1,64}$/, 'letters, digits and . _ : - only'),
    keyFile: text(settings.keyFile) || null,
    credentialsDirectory,
    concurrency: whole(settings.concurrency, 1, 1_000),
    readsPerFabric: whole(settings.readsPerFabric, 1, 64),
    leaseTtlMs: time(settings.leaseTtl, 1_000, 3_600_000),
    runDeadlineMs: time(settings.runDeadline, 1_000, 86_400_000),
    sweepIntervalMs: time(settings.sweepInterval, 200, 3_600_000),
    gracePeriodMs: time(settings.gracePeriod, 0, 3_600_000),
    historyKeepMs: time(settings.historyKeep, 0, 3_650 * 86_400_000),
    backoff: {
      baseMs: time(settings.backoffBase, 1, 3_600_000),
      capMs: time(settings.backoffCap, 1, 86_400_000),
      retriesMax: whole(settings.retriesMax, 0, 1_000),
      probeMsMin: time(settings.probeMin, 1_000, 86_400_000),
    },
    pageLimit: whole(settings.pageLimit, 1, 10_000),
    runBytesMax: size(settings.runBytesMax, 1024 ** 2, 64 * 1024 ** 3),
    kube: {
      connectTimeoutMs: time(settings.connectTimeout, 100, 600_000),
      requestTimeoutMs: time(settings.requestTimeout, 100, 3_600_000),
      idleTimeoutMs: time(settings.idleTimeout, 100, 3_600_000),
      bodyBytesMax: size(settings.bodyMax, 64 * 1024, 1024 ** 3),
    },
    adminSocket: socketPath(text(settings.adminSocket), env),
    metricsListen: read(settings.metricsListen, listenAddress, null),
    inspector: read(settings.inspector, readInspectorAddress, null),
    inspectorControl: read(settings.inspectorControl, oneOf(['on', 'off'] as const), 'off') === 'on',
    jaegerUrl: url(settings.jaegerUrl, ['http:', 'https:'], assertNoLogin),
    stately: read(settings.stately, readLoopbackPort, null),
    logLevel: read(settings.logLevel, oneOf(logLevels), 'info'),
    logFormat: read(settings.logFormat, oneOf(['auto', 'json', 'pretty'] as const), 'auto'),
  };
  problems.push(...relations(config, lockUrls));
  if (problems.length > 0) throw new ConfigProblems(problems);
  for (const part of Object.values(config)) Object.freeze(part);
  return Object.freeze(config);
}

/** Read as the driver's address will be: it may name several hosts, which are no URL to Node. */
function databaseUrl(given: string): string | null {
  if (given === '' || given === 'none') return null;
  if (!/^postgres(?:ql)?:\/\//.test(given)) {
    throw new NotReadable('it must be a URL that begins with postgres:// or postgresql://');
  }
  try {
    parseDatabaseUrl(given);
  } catch (problem) {
    throw new NotReadable((problem as Error).message);
  }
  return given;
}

/** What everybody sees who opens the page. */
function assertNoLogin(text: string): void {
  const { username, password } = new URL(text);
  if (username !== '' || password !== '') throw new TypeError('it must not have a user or a password in it');
}

const redisSchemes = ['redis:', 'rediss:', 'unix:'] as const;

/** Every setting with what it resolved to and where from; secrets masked. For `check-config`. Never throws. */
export function describeConfig(
  env: Environment,
  readCredential: ReadCredential = () => null,
): readonly { name: string; value: string; source: 'environment' | 'credential' | 'default'; description: string }[] {
  const directory = env.CREDENTIALS_DIRECTORY || null;
  const handed = ({ credential }: Setting): string | null => {
    if (!directory || !credential) return null;
    try {
      return readCredential(directory, credential)?.trim() || null;
    } catch {
      return '(not readable)';
    }
  };
  return Object.values(settings).map((setting) => {
    const { name, description, fallback } = setting;
    const given = env[name];
    const credential = given ? null : handed(setting);
    const source = given ? 'environment' : credential ? 'credential' : 'default';
    const value = given || credential || fallback;
    if (setting === settings.adminSocket) return { name, value: socketPath(value, env), source, description };
    return { name, value: setting.secret ? maskUrls(value) : value, source, description };
  });
}

/**
 * A URL, or several with commas between them, without passwords and without the secrets in queries. It is what somebody
 * typed: all between the scheme and the last `@` is taken for user and password, and what cannot be read is not shown.
 */
export function maskUrls(text: string): string {
  if (text === '' || text === 'none') return text;
  return (
    text
      .split(/,(?=[a-z][a-z0-9+.-]*:\/\/)/i)
      // `postgres:user:password@host`, its slashes forgotten, is a URL too, but none whose login could be told from the rest.
      .map((url) => (isUrl(url) && /^(?:[a-z][a-z0-9+.-]*:\/\/|unix:\/)/i.test(url) ? url : '***'))
      .map((url) =>
        url.replace(/^([a-z][a-z0-9+.-]*:\/\/)(.*)@/is, (_, scheme, login) => `${scheme}${maskLogin(login)}@`),
      )
      .map((url) => url.replace(/([?&](?:password|pass|auth|token|sslpassword)=)[^&]*/gi, '$1***'))
      .join(',')
  );
}

function isUrl(text: string): boolean {
  if (URL.canParse(text)) return true;
  try {
    return databaseUrl(text) !== null;
  } catch {
    return false;
  }
}

function maskLogin(login: string): string {
  const colon = login.indexOf(':');
  return colon < 0 ? login : `${login.slice(0, colon)}:***`;
}

function readers(read: <Value>(setting: Setting, parse: (text: string) => Value, otherwise: Value) => Value) {
  /** @param check throws a TypeError in our own words for what the scheme alone does not tell */
  const url = (schemes: readonly string[], check: (text: string) => unknown) => (given: string) => {
    if (given === '' || given === 'none') return null;
    if (!URL.canParse(given) || !schemes.includes(new URL(given).protocol)) {
      throw new NotReadable(`it must be a URL that begins with ${schemes.map((one) => `${one}//`).join(' or ')}`);
    }
    try {
      check(given);
    } catch (problem) {
      throw new NotReadable((problem as Error).message);
    }
    return given;
  };
  const number = (
    setting: Setting,
    parse: (text: string) => number,
    min: number,
    max: number,
    show: (value: number) => string,
  ) =>
    read(
      setting,
      (given) => {
        const value = parse(given);
        if (value < min || value > max) throw new NotReadable(`${given} is not between ${show(min)} and ${show(max)}`);
        return value;
      },
      parse(setting.fallback),
    );
  const wholeNumber = (given: string) => {
    if (!/^\d{1,9}$/.test(given)) throw new NotReadable(`"${given.slice(0, 40)}" is not a whole number`);
    return Number(given);
  };
  return {
    url: (setting: Setting, schemes: readonly string[], check: (text: string) => unknown = () => {}) =>
      read(setting, url(schemes, check), null),
    list: (setting: Setting, schemes: readonly string[], check: (text: string) => unknown) =>
      read(
        setting,
        (given) =>
          given
            .split(',')
            .map((one) => url(schemes, check)(one.trim()))
            .filter((one) => one !== null),
        [],
      ),
    whole: (setting: Setting, min: number, max: number) => number(setting, wholeNumber, min, max, String),
    time: (setting: Setting, min: number, max: number) => number(setting, parseDuration, min, max, formatDuration),
    size: (setting: Setting, min: number, max: number) => number(setting, parseSize, min, max, (bytes) => `${bytes}B`),
    word: (setting: Setting, pattern: RegExp, wanted: string) =>
      read(
        setting,
        (given) => {
          if (!pattern.test(given)) throw new NotReadable(`"${given.slice(0, 40)}": ${wanted}`);
          return given;
        },
        setting.fallback,
      ),
  };
}

function oneOf<Word extends string>(words: readonly Word[]) {
  return (given: string): Word => {
    const found = words.find((word) => word === given);
    if (!found) throw new NotReadable(`"${given.slice(0, 40)}" is none of ${words.join(', ')}`);
    return found;
  };
}

/** `HOST:PORT`; an IPv6 address in brackets. Without a host: every address of this machine. */
function listenAddress(given: string): ListenAddress | null {
  if (given === '') return null;
  const [, ipv6, name, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(given) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new NotReadable(`"${given.slice(0, 80)}" is not HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464`);
  }
  return { host: ipv6 ?? name ?? '', port: Number(port) };
}

function socketPath(given: string, env: Environment): string {
  if (given !== '') return given;
  // systemd lists several with colons; ours is the first.
  const directory = env.RUNTIME_DIRECTORY?.split(':')[0];
  return `${directory || '/run/fabric-syncd'}/admin.sock`;
}

function relations(config: Config, lockUrls: readonly string[]): string[] {
  const problems: string[] = [];
  const { backoff, kube } = config;
  if (new Set(lockUrls).size < lockUrls.length) {
    problems.push('FABRIC_SYNCD_LOCK_REDIS_URLS names a node twice: a node has one vote');
  }
  if (config.redisUrl === null && lockUrls.length > 0) {
    problems.push('FABRIC_SYNCD_LOCK_REDIS_URLS is of no use where REDIS_URL is none: leave it out');
  }
  if (backoff.capMs < backoff.baseMs) {
    problems.push('FABRIC_SYNCD_BACKOFF_CAP must not be below FABRIC_SYNCD_BACKOFF_BASE');
  }
  if (kube.requestTimeoutMs < kube.connectTimeoutMs) {
    problems.push('FABRIC_SYNCD_REQUEST_TIMEOUT must not be below FABRIC_SYNCD_CONNECT_TIMEOUT');
  }
  if (config.runDeadlineMs < kube.requestTimeoutMs) {
    problems.push(
      'FABRIC_SYNCD_RUN_DEADLINE must not be below FABRIC_SYNCD_REQUEST_TIMEOUT: one request would use it up',
    );
  }
  if (config.runBytesMax < kube.bodyBytesMax) {
    problems.push('FABRIC_SYNCD_RUN_BYTES_MAX must not be below FABRIC_SYNCD_BODY_MAX: one answer would use it up');
  }
  if (!config.adminSocket.startsWith('/')) problems.push('FABRIC_SYNCD_ADMIN_SOCKET must be an absolute path');
  // `sun_path` holds 108 bytes, the last of them zero.
  if (Buffer.byteLength(config.adminSocket) > 107) {
    problems.push('FABRIC_SYNCD_ADMIN_SOCKET is longer than a Unix socket’s path may be (107 bytes)');
  }
  return problems;
}

function misspelt(env: Environment): string[] {
  const known = Object.values(settings).map(({ name }) => name);
  // Compared without what all of ours begin with: else any of them would be near to any other.
  const bare = new Map(known.map((name) => [name.replace(ours, ''), name]));
  return Object.keys(env)
    .filter((name) => name.startsWith(ours) && !known.includes(name))
    .map((name) => {
      const meant = nearest(name.slice(ours.length), [...bare.keys()]);
      return `${name} is not a setting${meant === null ? '' : `; did you mean ${bare.get(meant)}?`}`;
    });
}

const ours = 'FABRIC_SYNCD_';

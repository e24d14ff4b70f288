// The secrets of this host: what systemd hands over, and the key that seals credentials in rows.
//
//   H1. Read anew at each call, so that a renewed key needs no restart.
//   H2. No failure holds a line of a file.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FabricFailure } from '../machines/fabric/failure.ts';
import type { Config } from './config.ts';
import type { CredentialSources } from './kube/credentials.ts';
import { readKey, type SealingKey } from './kube/sealing.ts';

/** The name of the key among systemd's credentials. */
export const keyCredential = 'fabric-syncd.key';

const bytesMax = 64 * 1024;

/** A file of systemd's credentials directory; null where it is absent. */
export function readSystemdCredential(directory: string, name: string): string | null {
  const path = join(directory, name);
  try {
    return readRegular(path);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null;
    throw unreadable('the systemd credential', path, thrown);
  }
}

/** Where the key is looked for; null where nothing says. */
export function keyPath(config: Pick<Config, 'keyFile' | 'credentialsDirectory'>): string | null {
  if (config.keyFile !== null) return config.keyFile;
  return config.credentialsDirectory === null ? null : join(config.credentialsDirectory, keyCredential);
}

/**
 * The key that seals credentials, with the older ones that only open; null where none is set.
 *
 * @throws FabricFailure `CREDENTIAL_UNREADABLE` where one is set and cannot be read
 */
export function readSealingKey(config: Pick<Config, 'keyFile' | 'credentialsDirectory'>): SealingKey | null {
  const path = keyPath(config);
  if (path === null) return null;
  let text: string;
  try {
    text = readRegular(path);
  } catch (thrown) {
    // Nobody promised that systemd hands one over; a path that was set is a promise.
    if (config.keyFile === null && codeOf(thrown) === 'ENOENT') return null;
    throw unreadable('the key file', path, thrown);
  }
  return readKey(text);
}

/** The ids of the keys that can be read now, the one that seals first; none where there is none or it cannot be read. */
export function sealingKeyIds(config: Pick<Config, 'keyFile' | 'credentialsDirectory'>): string[] {
  try {
    const key = readSealingKey(config);
    return key === null ? [] : [key, ...key.older].map(({ id }) => id);
  } catch (thrown) {
    if (thrown instanceof FabricFailure) return [];
    throw thrown;
  }
}

/**
 * What opening the credentials of fabrics needs of this host. The key is read where something is sealed with it, and not
 * before: a fabric whose credential is a reference does not suffer from a key that is missing.
 * Reading `key` throws as `readSealingKey` does.
 */
export function credentialSources(config: Pick<Config, 'keyFile' | 'credentialsDirectory'>): CredentialSources {
  return {
    get key() {
      return readSealingKey(config);
    },
    credentialsDirectory: config.credentialsDirectory,
  };
}

function readRegular(path: string): string {
  const stat = statSync(path);
  if (!stat.isFile())
    throw Object.assign(new Error('not a regular file'), { code: stat.isDirectory() ? 'EISDIR' : '' });
  if (stat.size > bytesMax) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
  return readFileSync(path, 'utf8');
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}

const inWords: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
  EFBIG: `is larger than ${bytesMax} bytes`,
};

function unreadable(what: string, path: string, thrown: unknown): FabricFailure {
  const code = codeOf(thrown);
  return new FabricFailure('CREDENTIAL_UNREADABLE', `${what} ${path} ${inWords[code] ?? 'cannot be read'}`, {
    hint: 'Run as the user who may read it, or name another in FABRIC_SYNCD_KEY_FILE. A new key: fabric-syncd key generate.',
    facts: { path },
  });
}

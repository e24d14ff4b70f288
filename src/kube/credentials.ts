// From what is stored of a credential to the credential itself, read anew at each call, so that a rotated token needs
// no restart.
//
//   O1. Every failure is `CREDENTIAL_UNREADABLE` (or, inside a kubeconfig, `SETTINGS_INVALID`) and holds no secret.
//   O2. Reading is bounded in time and in size, whatever the path leads to.

import { join } from 'node:path';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import type { Credential } from '../ports/fabric-api.ts';
import type { StoredCredential } from '../ports/store.ts';
import { asObject, asText } from './body.ts';
import { assertKeyPair } from './key-pair.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { open, type SealingKey, seal } from './sealing.ts';
import { readSmallFile, type SmallFileLimits, smallFileLimitsDefault } from './small-file.ts';
import { assertToken, readToken } from './token.ts';

/** What opening a credential needs from this host. */
export interface CredentialSources {
  /** Null where none is set. */
  readonly key: SealingKey | null;
  /** systemd's `$CREDENTIALS_DIRECTORY`; null outside of it. */
  readonly credentialsDirectory: string | null;
  readonly limits?: SmallFileLimits;
}

/** A parsed reference: `file:PATH`, `credential:NAME` or `kubeconfig:PATH[#CONTEXT]`. */
export type CredentialRef =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'credential'; readonly name: string }
  | { readonly kind: 'kubeconfig'; readonly path: string; readonly context: string | null };

/** A credential as it is stored in a row. */
export function sealCredential(key: SealingKey, fabricId: string, credential: Credential): Uint8Array {
  const payload =
    credential.kind === 'token'
      ? { token: credential.token }
      : { certPem: credential.certPem, keyPem: credential.keyPem };
  return seal(key, fabricId, JSON.stringify(payload));
}

/** @param fabric its id, which a sealed credential is bound to, and its name for messages */
export async function openCredential(
  stored: StoredCredential,
  fabric: { readonly id: string; readonly name: string },
  sources: CredentialSources,
): Promise<Credential> {
  switch (stored.kind) {
    case 'none':
      throw new FabricFailure('CREDENTIAL_UNREADABLE', `${fabric.name} has no credential`, {
        hint: 'Give it one: fabric-syncd fabric set NAME --token-file FILE. Its rights: fabric-syncd rbac NAME.',
      });
    case 'sealed':
      return unseal(stored.sealed, fabric, sources.key);
    case 'ref':
      return followRef(readRef(stored.ref), fabric.name, sources);
  }
}

/**
 * Parses a reference. A `#` in a kubeconfig's path is not supported: the first one begins the context.
 *
 * @throws FabricFailure `SETTINGS_INVALID`
 */
export function readRef(ref: string): CredentialRef {
  const refuse = (words: string): never => {
    throw new FabricFailure('SETTINGS_INVALID', `the credential reference ${words}`, {
      hint: 'It is file:/PATH, credential:NAME or kubeconfig:/PATH[#CONTEXT].',
    });
  };
  const [, scheme, rest = ''] = /^(file|credential|kubeconfig):(.*)$/s.exec(ref) ?? [];
  // The text is not repeated: it may be a token that was put in the wrong place.
  if (scheme === undefined) return refuse('begins with none of file:, credential:, kubeconfig:');
  if (rest === '') return refuse(`names nothing after ${scheme}:`);
  if (rest.includes('\0')) return refuse('has a NUL character in it');
  if (scheme === 'credential') {
    // systemd's own rule for names of credentials; it keeps the path inside the directory.
    if (!/^[A-Za-z0-9_.:@-]{1,255}$/.test(rest) || rest === '.' || rest === '..') {
      return refuse('names a systemd credential with a character that such a name cannot have');
    }
    return { kind: 'credential', name: rest };
  }
  const [, path = '', context] = scheme === 'file' ? [null, rest] : (/^([^#]*)(?:#(.*))?$/s.exec(rest) ?? []);
  if (!path.startsWith('/')) return refuse('is not an absolute path: a daemon has no folder of its own');
  if (scheme === 'file') return { kind: 'file', path };
  if (context === '') return refuse('names no context after #');
  return { kind: 'kubeconfig', path, context: context ?? null };
}

async function followRef(ref: CredentialRef, fabricName: string, sources: CredentialSources): Promise<Credential> {
  const limits = sources.limits ?? smallFileLimitsDefault;
  switch (ref.kind) {
    case 'file':
      return readTokenFile(ref.path, 'the token file', limits);
    case 'credential':
      if (sources.credentialsDirectory === null) {
        throw new FabricFailure(
          'CREDENTIAL_UNREADABLE',
          `${fabricName}: the systemd credential ${ref.name} is not there: this process was not started by systemd`,
          { hint: `Start it by its unit, with LoadCredential=${ref.name}:PATH, or use file:PATH.` },
        );
      }
      return readTokenFile(join(sources.credentialsDirectory, ref.name), 'the systemd credential', limits);
    case 'kubeconfig':
      return (await readKubeconfig(ref.path, ref.context, limits)).credential;
  }
}

/**
 * A file that holds a token, read once.
 *
 * @throws FabricFailure `CREDENTIAL_UNREADABLE`
 */
export async function readTokenFile(path: string, what: string, limits?: SmallFileLimits): Promise<Credential> {
  return { kind: 'token', token: readToken(await readSmallFile(path, what, limits), `${what} ${path}`) };
}

function unseal(sealed: Uint8Array, fabric: { id: string; name: string }, key: SealingKey | null): Credential {
  if (key === null) {
    throw new FabricFailure(
      'CREDENTIAL_UNREADABLE',
      `${fabric.name}: the stored credential is sealed, and no key is set`,
      {
        hint: 'Set FABRIC_SYNCD_KEY_FILE, or load the key as a systemd credential.',
      },
    );
  }
  const plaintext = open(key, fabric.id, sealed);
  let payload: ReturnType<typeof asObject> = null;
  try {
    payload = asObject(JSON.parse(plaintext));
  } catch {
    // Below: the parser's error would quote the secret.
  }
  const token = asText(payload?.token);
  const certPem = asText(payload?.certPem);
  const keyPem = asText(payload?.keyPem);
  if (token !== null) {
    assertToken(token, `the stored token of ${fabric.name}`);
    return { kind: 'token', token };
  }
  if (certPem !== null && keyPem !== null) {
    assertKeyPair(certPem, keyPem, `the stored client certificate of ${fabric.name}`);
    return { kind: 'client_certificate', certPem, keyPem };
  }
  throw new FabricFailure('CREDENTIAL_UNREADABLE', `${fabric.name}: the stored credential holds nothing usable`);
}

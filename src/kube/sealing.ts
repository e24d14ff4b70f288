// Secrets in rows: sealed with a key that is not in the database.
//
// A sealed text is   version (1) · key id (8) · nonce (12) · ciphertext · tag (16)   by AES-256-GCM.
//
//   S1. The fabric's id and everything before the ciphertext are authenticated: a sealed text that is moved to
//       another row, or changed, does not open.
//   S2. The key id says which key sealed it, so that a wrong key is told from a damaged text.
//   S3. A key file may hold several keys, one a line: the first seals, every one opens. So a key is rotated without an
//       hour in which some daemon cannot open what another program sealed.
//   S4. Neither the key nor the secret is in a failure.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { FabricFailure } from '../../machines/fabric/failure.ts';

interface Key {
  /** 16 hexadecimal digits, derived from the key; not secret. */
  readonly id: string;
  readonly secret: KeyObject;
}

/** The key that seals, and those before it, which only open (S3). */
export interface SealingKey extends Key {
  readonly older: readonly Key[];
}

const version = 1;
const keyBytes = 32;
const idBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
/** Nobody rotates keys without an end; a file with more lines is another file. */
const keysMax = 16;
const headBytes = 1 + idBytes + nonceBytes;

/** A fresh key as the text of a key file: 32 bytes in Base64 and a line end. */
export function generateKey(): string {
  return `${randomBytes(keyBytes).toString('base64')}\n`;
}

/**
 * The keys in the text of a key file, one a line.
 *
 * @throws FabricFailure `CREDENTIAL_UNREADABLE`
 */
export function readKey(text: string): SealingKey {
  const lines = text.split('\n').map((line) => line.trim());
  const [first, ...older] = lines.filter((line) => line !== '');
  if (first === undefined) throw notKeys('the key file is empty');
  if (older.length >= keysMax) throw notKeys(`the key file holds more than ${keysMax} lines`);
  return { ...keyOf(first), older: older.map(keyOf) };
}

function keyOf(line: string): Key {
  const bytes = Buffer.from(line, 'base64');
  // Node skips what is not Base64; only a text that comes out the same again was one.
  if (bytes.byteLength !== keyBytes || bytes.toString('base64') !== line) {
    throw notKeys('the key file does not hold a key of 32 bytes in Base64 in each of its lines');
  }
  return { id: idOf(bytes).toString('hex'), secret: createSecretKey(bytes) };
}

function notKeys(what: string): FabricFailure {
  return new FabricFailure('CREDENTIAL_UNREADABLE', what, {
    hint: 'Make one: fabric-syncd key generate > FILE. Existing secrets open only with the key that sealed them.',
  });
}

/** The id of the key that sealed a text, or null where it is no sealed text. */
export function keyIdOf(sealed: Uint8Array): string | null {
  if (sealed.byteLength < headBytes + tagBytes || sealed[0] !== version) return null;
  return Buffer.from(sealed.subarray(1, 1 + idBytes)).toString('hex');
}

/** Seals with the first of the keys (S3), for the row of this fabric alone (S1). The same text comes out another each time. */
export function seal(key: SealingKey, fabricId: string, plaintext: string): Uint8Array {
  const head = Buffer.concat([Buffer.of(version), Buffer.from(key.id, 'hex'), randomBytes(nonceBytes)]);
  const cipher = createCipheriv('aes-256-gcm', key.secret, head.subarray(1 + idBytes), { authTagLength: tagBytes });
  cipher.setAAD(authenticated(head, fabricId));
  return Buffer.concat([head, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** @throws FabricFailure `CREDENTIAL_UNREADABLE` with what to do */
export function open(key: SealingKey, fabricId: string, sealed: Uint8Array): string {
  const failed = (words: string, hint: string) =>
    new FabricFailure('CREDENTIAL_UNREADABLE', `the stored credential of fabric ${fabricId} ${words}`, { hint });
  const giveAnew = 'Give the credential again: fabric-syncd fabric set NAME --token-file FILE.';
  const sealedBy = keyIdOf(sealed);
  if (sealedBy === null) throw failed('is damaged, or was written by a newer version', giveAnew);
  const opens = [key, ...key.older].find((one) => one.id === sealedBy);
  if (!opens) {
    throw failed(
      `was sealed with the key ${sealedBy}, not with ${key.id}`,
      `Put the right key back (FABRIC_SYNCD_KEY_FILE, or the systemd credential). ${giveAnew}`,
    );
  }
  const bytes = Buffer.from(sealed);
  const head = bytes.subarray(0, headBytes);
  const decipher = createDecipheriv('aes-256-gcm', opens.secret, head.subarray(1 + idBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(authenticated(head, fabricId));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    return decipher.update(bytes.subarray(headBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    // OpenSSL does not say which of the two it is.
    throw failed('is damaged, or belongs to another fabric’s row', giveAnew);
  }
}

function authenticated(head: Buffer, fabricId: string): Buffer {
  return Buffer.concat([Buffer.from('fabric-syncd credential\0'), head, Buffer.from(fabricId, 'utf8')]);
}

function idOf(key: Buffer): Buffer {
  return createHash('sha256').update('fabric-syncd key id\0').update(key).digest().subarray(0, idBytes);
}

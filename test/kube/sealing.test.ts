import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateKey, keyIdOf, open, readKey, seal } from '../../src/kube/sealing.ts';
import { refusal } from './refusal.ts';

const key = readKey(generateKey());

describe('a key', () => {
  test('is a line of text, never the same twice, and known by an id that is not the key', () => {
    const text = generateKey();
    expect(text).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(generateKey()).not.toBe(text);
    expect(readKey(text).id).toMatch(/^[0-9a-f]{16}$/);
    expect(readKey(text).id).toBe(readKey(`\n ${text} `).id);
    expect(JSON.stringify(readKey(text))).not.toContain(text.trim());
  });

  test.each([
    ['nothing', ''],
    ['16 bytes', Buffer.alloc(16).toString('base64')],
    ['33 bytes', Buffer.alloc(33).toString('base64')],
    ['hexadecimal', Buffer.alloc(32).toString('hex')],
    ['a stray character', `${generateKey().trim()}!`],
    ['two keys on one line', generateKey().trim() + generateKey()],
  ])('%s is none', async (_what, text) => {
    const failure = await refusal(() => readKey(text), 'CREDENTIAL_UNREADABLE');
    expect(failure.hint).toContain('key generate');
    if (text.trim() !== '') expect(failure.message).not.toContain(text.trim());
  });
});

describe('sealing', () => {
  test('whatever is sealed opens again, for its own fabric', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), fc.string(), (secret, fabricId) => {
        expect(open(key, fabricId, seal(key, fabricId, secret))).toBe(secret.toWellFormed());
      }),
    );
  });

  test('the same secret never looks the same, and is not seen', () => {
    const [one, other] = [seal(key, '1', 'canary-secret'), seal(key, '1', 'canary-secret')];
    expect(one).not.toEqual(other);
    expect(Buffer.from(one).includes('canary')).toBe(false);
    expect(keyIdOf(one)).toBe(key.id);
  });

  test('it does not open in another fabric’s row', async () => {
    const failure = await refusal(() => open(key, '2', seal(key, '1', 's')), 'CREDENTIAL_UNREADABLE');
    expect(failure.message).toContain('another fabric');
    expect(failure.hint).toContain('fabric set');
  });

  test('it does not open with another key, and the message names both by their ids', async () => {
    const other = readKey(generateKey());
    const failure = await refusal(() => open(other, '1', seal(key, '1', 's')), 'CREDENTIAL_UNREADABLE');
    expect(failure.message).toContain(`sealed with the key ${key.id}, not with ${other.id}`);
    expect(failure.hint).toContain('FABRIC_SYNCD_KEY_FILE');
  });

  test('an older key in the same file opens it, and the first one seals', () => {
    const [oldText, newText] = [generateKey(), generateKey()];
    const both = readKey(`${newText}\n${oldText}`);
    expect([both.id, ...both.older.map(({ id }) => id)]).toEqual([readKey(newText).id, readKey(oldText).id]);
    expect(open(both, '1', seal(readKey(oldText), '1', 's'))).toBe('s');
    expect(open(readKey(newText), '1', seal(both, '1', 's'))).toBe('s');
  });

  test('a key file with a line that is no key, or with too many, is no key file', async () => {
    const lines = Array.from({ length: 17 }, () => generateKey());
    await refusal(() => readKey(`${generateKey()}not a key\n`), 'CREDENTIAL_UNREADABLE');
    await refusal(() => readKey(lines.join('')), 'CREDENTIAL_UNREADABLE');
  });

  test('a change of any one byte is noticed', async () => {
    const sealed = seal(key, '1', 'secret');
    for (let at = 0; at < sealed.byteLength; at += 1) {
      const changed = Uint8Array.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await refusal(() => open(key, '1', changed), 'CREDENTIAL_UNREADABLE');
    }
  });

  test('a part of it is noticed, whatever its length', async () => {
    const sealed = seal(key, '1', 'secret');
    for (let length = 0; length < sealed.byteLength; length += 1) {
      await refusal(() => open(key, '1', sealed.subarray(0, length)), 'CREDENTIAL_UNREADABLE');
    }
  });

  test('a text that was sealed by the first version opens for ever', () => {
    const old = readKey('AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=');
    const sealed = Buffer.from('AYUl/B/e2BAxIbMFcrDXa1PalGgLOp+v5npqhy4FJPV5Hy2K3nYXZVQg46MLXGHNd8OTD+Uo', 'base64');
    expect(open(old, '35', sealed)).toBe('{"token":"first"}');
  });
});

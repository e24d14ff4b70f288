import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSmallFile } from '../../src/kube/small-file.ts';
import { temporaryFolder } from './folder.ts';
import { refusal } from './refusal.ts';

const limits = { bytesMax: 100, timeoutMs: 5_000 };
const read = (path: string) => readSmallFile(path, 'the token file', limits);

describe('a file that a person named', () => {
  test('is read whole, through a link, up to the limit and not beyond', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'full'), 'x'.repeat(100));
    await writeFile(join(folder, 'over'), 'x'.repeat(101));
    await symlink(join(folder, 'full'), join(folder, 'link'));
    expect(await read(join(folder, 'link'))).toBe('x'.repeat(100));
    const failure = await refusal(() => read(join(folder, 'over')), 'CREDENTIAL_UNREADABLE');
    expect(failure.message).toBe(`the token file ${join(folder, 'over')} is larger than 100 bytes`);
  });

  test('that is replaced is read anew', async () => {
    const path = join(await temporaryFolder(), 'token');
    await writeFile(path, 'one');
    expect(await read(path)).toBe('one');
    await writeFile(path, 'two');
    expect(await read(path)).toBe('two');
  });

  test.each<[string, (path: string) => unknown, string]>([
    ['nothing', () => {}, 'does not exist'],
    ['a directory', (path) => mkdir(path), 'is a directory'],
    ['a pipe that nobody writes to', (path) => execFileSync('mkfifo', [path]), 'is no regular file'],
    ['a device without an end', (path) => symlink('/dev/zero', path), 'is no regular file'],
    ['a link to itself', (path) => symlink(path, path), 'cannot be read (ELOOP)'],
    ['bytes that are no text', (path) => writeFile(path, Buffer.from([0xff, 0xfe])), 'is not UTF-8'],
  ])('that is %s is refused at once', async (_what, make, says) => {
    const path = join(await temporaryFolder(), 'it');
    await make(path);
    const failure = await refusal(() => read(path), 'CREDENTIAL_UNREADABLE');
    expect(failure.message).toContain(says);
    expect(failure.facts).toEqual({ path });
  });

  test.skipIf(process.getuid?.() === 0)('that this user may not read says so', async () => {
    const path = join(await temporaryFolder(), 'secret');
    await writeFile(path, 'x');
    await chmod(path, 0);
    const failure = await refusal(() => read(path), 'CREDENTIAL_UNREADABLE');
    expect(failure.message).toContain('may not be read by this user');
  });
});

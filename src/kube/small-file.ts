// Files that a person named: credentials and kubeconfigs. The path may lead to a directory, a pipe, a device or a
// network mount that hangs, and none of them may stop the daemon.

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { codeOf } from './errors.ts';

export interface SmallFileLimits {
  readonly bytesMax: number;
  readonly timeoutMs: number;
}

export const smallFileLimitsDefault: SmallFileLimits = { bytesMax: 1024 * 1024, timeoutMs: 5_000 };

/**
 * The whole of a regular file as UTF-8.
 *
 * @param what for messages: `the token file`
 * @throws FabricFailure `CREDENTIAL_UNREADABLE`
 */
export async function readSmallFile(
  path: string,
  what: string,
  limits: SmallFileLimits = smallFileLimitsDefault,
): Promise<string> {
  const failed = (words: string, hint?: string) =>
    new FabricFailure('CREDENTIAL_UNREADABLE', `${what} ${path} ${words}`, {
      ...(hint !== undefined && { hint }),
      facts: { path },
    });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(failed(`was not read within ${limits.timeoutMs} ms`)), limits.timeoutMs);
  });
  try {
    // A file system that hangs keeps its thread; we do not wait for it.
    return await Promise.race([readRegular(path, limits.bytesMax, failed), late]);
  } catch (thrown) {
    if (thrown instanceof FabricFailure) throw thrown;
    const code = codeOf(thrown);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw failed('does not exist');
    if (code === 'EACCES' || code === 'EPERM') {
      throw failed(
        'may not be read by this user',
        'Give the daemon’s user the right to read it, or use LoadCredential.',
      );
    }
    throw failed(`cannot be read (${code ?? 'unknown error'})`);
  } finally {
    clearTimeout(timer);
  }
}

async function readRegular(path: string, bytesMax: number, failed: (words: string) => FabricFailure): Promise<string> {
  // Without O_NONBLOCK, opening a pipe waits for somebody to write into it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw failed('is a directory');
    if (!stat.isFile()) throw failed('is no regular file');
    const buffer = Buffer.alloc(bytesMax + 1);
    let size = 0;
    while (size <= bytesMax) {
      const { bytesRead } = await file.read(buffer, size, buffer.byteLength - size, null);
      if (bytesRead === 0) break;
      size += bytesRead;
    }
    if (size > bytesMax) throw failed(`is larger than ${bytesMax} bytes`);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(buffer.subarray(0, size));
  } catch (thrown) {
    if (thrown instanceof TypeError) throw failed('is not UTF-8 text');
    throw thrown;
  } finally {
    await file.close();
  }
}

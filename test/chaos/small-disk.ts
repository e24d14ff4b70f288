// A disk that is soon full: a small file system in memory, and a file in it that takes all that is left.

import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  fill(): Promise<void>;
  free(): Promise<void>;
  unmount(): Promise<void>;
}

const size = '24m';
const pieceBytes = 256 * 1024;

/**
 * Mounts it there; the folder is made.
 * @returns null where this process may not mount: not root, or a container that forbids it
 */
export async function mountSmallDisk(dir: string): Promise<SmallDisk | null> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'fabric-syncd-chaos', dir]).then(
    () => true,
    () => false,
  );
  if (!mounted) return null;
  const ballast = join(dir, 'ballast');
  return {
    async fill() {
      const file = await open(ballast, 'w');
      try {
        const piece = Buffer.alloc(pieceBytes);
        // Large pieces first, and then single pages: nothing is left.
        for (const chunk of [piece, piece.subarray(0, 4_096)]) {
          for (let full = false; !full; )
            full = await file.write(chunk).then(({ bytesWritten }) => bytesWritten < chunk.length, isFull);
        }
      } finally {
        await file.close();
      }
    },
    free: () => rm(ballast, { force: true }),
    async unmount() {
      // Lazily: whoever still writes there keeps nobody from going home.
      await run('umount', ['--lazy', dir]);
    },
  };
}

function isFull(cause: unknown): true {
  if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') return true;
  throw cause;
}

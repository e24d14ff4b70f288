// A bed's database by a way that can be frozen: the host that hangs, the partition.

import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { type FrozenProxy, startFrozenProxy } from '../frozen-proxy.ts';
import type { Bed, Patient } from './bed.ts';
import { type Daemon, eventually } from './daemon.ts';

/** Ends with the bed, before its database does. */
export async function proxyBefore(bed: Bed): Promise<FrozenProxy & { readonly url: string }> {
  const url = new URL(bed.databaseUrl);
  const folder = url.searchParams.get('host');
  const proxy = await startFrozenProxy(
    folder ? { path: join(folder, '.s.PGSQL.5432') } : { port: Number(url.port || 5432) },
  );
  bed.onClose(() => proxy.close());
  return { ...proxy, url: `postgres://postgres@127.0.0.1:${proxy.port}${url.pathname}` };
}

/** Resolves when its only fabric was synced, and the daemon has heard so: nothing is on its way then. */
export async function restsAfterSync(daemon: Daemon, fabric: Patient): Promise<void> {
  await fabric.synced();
  await vi.waitFor(async () => {
    expect((await daemon.fleet()).fabrics).toMatchObject([{ path: 'scheduled.waiting' }]);
  }, eventually);
}

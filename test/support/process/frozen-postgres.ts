// A bed's database by a way that can be frozen: the host that hangs, the partition.

import { join } from 'node:path';
import { type FrozenProxy, startFrozenProxy } from '../frozen-proxy.ts';
import type { Bed } from './bed.ts';

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

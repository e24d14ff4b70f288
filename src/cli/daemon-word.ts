import { askDaemon } from '../admin/client.ts';
import type { DaemonWord } from '../inspector/view.ts';

interface Health {
  readonly ok: boolean;
  readonly why: string;
  readonly daemon: string;
  readonly version: string;
  readonly pid: number;
  readonly uptime_ms: number;
  readonly redis: unknown;
  readonly postgres: unknown;
}

/** What the daemon on this host says of itself and its fabrics; null where none answers. */
export async function daemonWord(socketPath: string, signal: AbortSignal): Promise<DaemonWord | null> {
  const [health, fleet] = await Promise.all([
    askDaemon(socketPath, '/v1/health', signal) as Promise<Health | null>,
    askDaemon(socketPath, '/v1/fleet', signal) as Promise<Pick<DaemonWord, 'fabrics'> | null>,
  ]);
  if (!health || typeof health.daemon !== 'string') return null;
  const { daemon, version, pid, ok, why, redis, postgres } = health;
  return {
    daemon,
    version,
    pid,
    uptimeMs: health.uptime_ms,
    ok: ok === true,
    why: why ?? '',
    redis: String(redis),
    postgres: String(postgres),
    fabrics: Array.isArray(fleet?.fabrics) ? fleet.fabrics : [],
  };
}

/** The ids of the keys that the daemon on this host opens credentials with; null where none answers. */
export async function daemonKeys(socketPath: string, signal: AbortSignal): Promise<readonly string[] | null> {
  const health = (await askDaemon(socketPath, '/v1/health', signal)) as { readonly keys?: unknown } | null;
  return Array.isArray(health?.keys) ? health.keys.map(String) : null;
}

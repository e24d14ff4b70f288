// The real servers of a test run: started once, before any file, and gone after the last. `DATABASE_URL` and `REDIS_URL`
// are used instead where they are set; nothing of the test run stays in them.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startPrivatePostgres } from '../../src/demo/servers/postgres.ts';
import { findRedis, startPrivateRedis } from '../../src/demo/servers/redis.ts';
import { makeTemplate } from './postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server; its databases are made by `cloneDatabase`. */
    databaseUrl: string;
    databaseTemplate: string;
    /** Null where no Redis can be had: its tests are skipped and say so. */
    redisUrl: string | null;
  }
}

type Undo = () => Promise<void>;

export default async function setup(project: TestProject): Promise<Undo> {
  const undo: Undo[] = [];
  const teardown = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-servers-'));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const starts = [postgres(join(dir, 'postgres'), undo), redis(join(dir, 'redis'), undo)] as const;
    // Both to their ends: one that starts while the other fails would not be undone.
    await Promise.allSettled(starts);
    const [databaseUrl, redisUrl] = await Promise.all(starts);
    const template = await makeTemplate(databaseUrl);
    undo.push(template.drop);
    project.provide('databaseUrl', databaseUrl);
    project.provide('databaseTemplate', template.name);
    project.provide('redisUrl', redisUrl);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

async function postgres(dir: string, undo: Undo[]): Promise<string> {
  const given = process.env.DATABASE_URL;
  if (given) return given;
  const server = await startPrivatePostgres({ dir });
  undo.push(() => server.stop());
  return server.url;
}

async function redis(dir: string, undo: Undo[]): Promise<string | null> {
  const given = process.env.REDIS_URL;
  if (given) return given === 'none' ? null : given;
  const found = await findRedis({});
  if (!found) return null;
  const server = await startPrivateRedis({ dir, binary: found.binary });
  undo.push(() => server.stop());
  return server.url;
}

// The private server of the demo and of these tests, as whoever starts it sees it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startPrivatePostgres } from '../../../src/demo/servers/postgres.ts';
import { findPostgres } from '../../../src/demo/servers/postgres-binaries.ts';
import { openDatabase } from '../../../src/postgres/connect.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fabric-syncd-private-'));
});

afterEach(() => rm(dir, { recursive: true, force: true }));

async function ask(url: string, statement: string) {
  const database = openDatabase({ url, connectionsMax: 1 });
  try {
    return await database.act('answer', (sql) => sql.unsafe(statement));
  } finally {
    await database.close();
  }
}

const postmaster = async () => Number((await readFile(join(dir, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);

/** Running: there, and not merely unburied. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat !== null && !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

const found = {
  system: (await findPostgres('system', undefined)).length > 0,
  embedded: (await findPostgres('embedded', undefined)).length > 0,
};

describe.for(['system', 'embedded'] as const)('a private PostgreSQL from %s binaries', (source) => {
  const here = test.skipIf(!found[source]);

  here('answers, keeps its data over a stop and over a kill, and leaves nothing running', async () => {
    const first = await startPrivatePostgres({ dir, source });
    expect(first.source).toBe(source);
    const [answer] = await ask(first.url, `select current_setting('server_version') as version`);
    expect(answer?.version).toContain(first.version);
    await ask(first.url, 'create table kept (n int); insert into kept values (1)');
    const pid = await postmaster();
    await first.stop();
    await first.stop();
    expect(await isRunning(pid)).toBe(false);

    const second = await startPrivatePostgres({ dir, source });
    expect(await ask(second.url, 'insert into kept values (2) returning n')).toEqual([{ n: 2 }]);
    const killed = await postmaster();
    await second.kill();
    expect(await isRunning(killed)).toBe(false);
    await second.restart();
    expect(await ask(second.url, 'select count(*)::int as n from kept')).toEqual([{ n: 2 }]);
    await second.stop();
  });
});

describe('a state folder', () => {
  test('serves one at a time, and says who has it', async () => {
    const server = await startPrivatePostgres({ dir });
    await expect(startPrivatePostgres({ dir })).rejects.toThrow(`in use by process ${process.pid}`);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  test('of a parent that was killed is free again, its server gone at the next start at the latest', async () => {
    const program = `
      const { startPrivatePostgres } = await import(${JSON.stringify(new URL('../../../src/demo/servers/postgres.ts', import.meta.url).href)});
      await startPrivatePostgres({ dir: ${JSON.stringify(dir)} });
      process.stdout.write('up');
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const orphan = await postmaster();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const server = await startPrivatePostgres({ dir });
    expect(await isRunning(orphan)).toBe(false);
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  test('with a lock file whose process number belongs to a stranger now is no obstacle', async () => {
    const server = await startPrivatePostgres({ dir });
    await server.stop();
    await writeFile(join(dir, 'data', 'postmaster.pid'), `${process.ppid}\n${join(dir, 'data')}\n`);
    const again = await startPrivatePostgres({ dir });
    await again.stop();
  });

  test('whose path is too long for a socket gets its socket elsewhere', async () => {
    const deep = join(dir, 'x'.repeat(60), 'y'.repeat(60));
    await mkdir(deep, { recursive: true });
    const server = await startPrivatePostgres({ dir: deep });
    expect(await ask(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  test('with data of a version that is not here says which', async () => {
    await mkdir(join(dir, 'data'));
    await writeFile(join(dir, 'data', 'PG_VERSION'), '9\n');
    await expect(startPrivatePostgres({ dir })).rejects.toThrow(/PostgreSQL 9, which was not found: install/);
  });
});

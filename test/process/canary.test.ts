// Secrets that sing where they are seen: tokens, the sealing key and the servers' passwords are made of canaries, everything
// that the program says or stores is listened to, and none may be heard, plain or encoded.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test, vi } from 'vitest';
import { askDaemon, askForText, hearDaemon } from '../../src/admin/client.ts';
import { everyVerb } from '../../src/cli/verbs.ts';
import type { FabricDocument, FleetDocument } from '../../src/inspector/documents.ts';
import { Aviary, canary, dumpDatabase, dumpRedis, withPassword } from '../support/aviary.ts';
import { type Bed, bedsOfThisFile, type Patient } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';
import { ownRedis, redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();
async function commandLine(daemon: Daemon): Promise<string> {
  return readFile(`/proc/${daemon.pid}/cmdline`, 'utf8');
}

/** Verbs that run for ever, and the one that prints a secret because that is what it is for. */
const aside = ['run', 'demo', 'inspect', 'key generate'];

/** Exit codes beside 0: one of the fabrics fails, and nothing waits for an approval. */
const mayFail: Readonly<Record<string, number>> = { trigger: 5, doctor: 1, approve: 4 };

/** Every other verb, as people would call it; `{run}` is a run. */
function calls(patient: Patient, files: { readonly token: string; readonly ca: string }) {
  const way = ['--server', patient.cluster.url, '--token-file', files.token, '--ca-file', files.ca];
  return {
    'fabric add': ['sealed', ...way],
    'fabric set': ['sealed', ...way],
    'fabric list': [],
    'fabric show': ['sealed'],
    'fabric test': ['sealed'],
    trigger: ['sealed', 'refused'],
    status: [],
    metrics: [],
    'log-level': [],
    history: ['sealed'],
    diff: ['{run}'],
    resources: ['sealed', '--kind', 'Switch'],
    pause: ['sealed', '--reason', 'a look'],
    resume: ['sealed'],
    approve: ['sealed', '--yes'],
    cancel: ['sealed'],
    unlock: ['sealed'],
    bootstrap: [],
    rbac: ['sealed'],
    'key rotate': [],
    'check-config': [],
    migrate: [],
    doctor: [],
    completion: ['bash'],
    'complete-fabrics': [],
    'fabric remove': ['sealed', '--yes'],
  } satisfies Record<string, readonly string[]>;
}

/** Every document of the inspector, with the traces of the runs. */
async function listenToInspector(aviary: Aviary, socketPath: string): Promise<void> {
  const read = async <Document>(path: string): Promise<Document> => {
    const document = await askDaemon(socketPath, `/api/${path}`, AbortSignal.timeout(10_000));
    expect(document, path).not.toBeNull();
    aviary.listen(`/api/${path}`, JSON.stringify(document));
    return document as Document;
  };
  const { fabrics } = await read<FleetDocument>('fleet');
  expect(fabrics).toHaveLength(2);
  for (const { name } of fabrics) {
    const { runs, settings } = await read<FabricDocument>(`fabrics/${name}`);
    expect(settings?.credential.kind).toBe('file');
    for (const { id, trace_id } of runs) {
      await read(`fabrics/${name}/runs/${id}`);
      if (trace_id !== null) await read(`traces/${trace_id}`);
    }
  }
  for (const path of ['timers', 'machine']) await read(path);
}

async function lastRun(bed: Bed): Promise<string> {
  const [row] = await bed.sql<
    [{ id: string | null }]
  >`select max(id)::text as id from fabric_run where outcome = 'complete'`;
  return row.id ?? '1';
}

test.skipIf(redisFound === null)('no secret is in anything that the program says or stores', async () => {
  const aviary = new Aviary();
  const redisPassword = aviary.add('the password of Redis', canary());
  const redis = await ownRedis(['--requirepass', redisPassword]);
  const redisUrl = redis.url.replace('redis://', `redis://:${redisPassword}@`);
  const bed = await openBed({ redis: { url: redisUrl } });
  bed.onClose(() => redis.remove());
  const patient = await bed.fabric('lab');
  const refused = await bed.fabric('refused');
  aviary.add('a token', patient.cluster.token);
  aviary.add('a token', refused.cluster.token);
  await writeFile(refused.tokenFile, aviary.add('a token that is refused', canary()));
  const files = {
    token: join(bed.folder, 'sealed.token'),
    ca: join(bed.folder, 'ca.pem'),
    key: join(bed.folder, 'key'),
  };
  await Promise.all([writeFile(files.token, patient.cluster.token), writeFile(files.ca, patient.cluster.caPem)]);
  // Where the server of the test run asks for a password, it is that one which must not be heard.
  const given = decodeURIComponent(new URL(inject('databaseUrl')).password);
  const password = aviary.add('the password of Postgres', given === '' ? canary() : given);
  const env = {
    DATABASE_URL: withPassword(bed.databaseUrl, password),
    FABRIC_SYNCD_KEY_FILE: files.key,
    FABRIC_SYNCD_LOG_LEVEL: 'trace',
    FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0',
  };
  expect(env.DATABASE_URL).toContain(password);

  const key = (await bed.cli('key', 'generate')).stdout.trim();
  await writeFile(files.key, aviary.add('the sealing key', key));
  const daemon = await bed.daemon(env, 1).ready();
  const deaf = new AbortController();
  await hearDaemon(daemon.socketPath, (tiding) => aviary.listen('/v1/events', JSON.stringify(tiding)), deaf.signal);
  await patient.synced();
  await refused.until((row) => row.state === 'errored', 'errored');

  await listenToInspector(aviary, daemon.socketPath);
  const metrics = await askForText(daemon.socketPath, '/v1/metrics', AbortSignal.timeout(10_000));
  expect(metrics).toContain('fabric_syncd_fabric_failed_attempts{fabric_name="refused"');
  aviary.listen('/v1/metrics', metrics ?? '');
  const tried = calls(patient, files);
  const known = (await everyVerb()).map(({ path }) => path.join(' ')).filter((path) => !aside.includes(path));
  expect(Object.keys(tried).sort(), 'verbs that are tried').toEqual(known.sort());
  for (const [path, rest] of Object.entries(tried)) {
    const run = await lastRun(bed);
    const argv = [...path.split(' '), ...rest.map((word) => word.replace('{run}', run))];
    const answer = await bed.cliWith(env, ...argv);
    expect([0, mayFail[path]], `${argv.join(' ')}: ${answer.stdout}${answer.stderr}`).toContain(answer.code);
    for (const { stdout, stderr } of [answer, await bed.cliWith(env, ...argv, '--json')]) {
      aviary.listen(argv.join(' '), `${stdout}\n${stderr}`);
    }
  }
  for (const word of ['health', 'fleet'] as const) aviary.listen(`/v1/${word}`, JSON.stringify(await daemon[word]()));
  aviary.listen('its command line', await commandLine(daemon));
  aviary.listen('the database', await dumpDatabase(bed.sql));
  aviary.listen('Redis', await dumpRedis(redisUrl));
  deaf.abort();
  await daemon.stop();
  aviary.listen('its log', daemon.output);
  expect(daemon.log.length, 'lines of the log').toBeGreaterThan(20);
  expect(aviary.heard()).toEqual([]);
});

test('no password is told when its server cannot be reached, or when its URL is wrong', async () => {
  const aviary = new Aviary();
  const bed = await openBed({ redis: 'none' });
  const [database, redis] = [
    aviary.add('the password of Postgres', canary()),
    aviary.add('the password of Redis', canary()),
  ];
  const wrong = [
    { DATABASE_URL: `postgres://ann:${database}@127.0.0.1:1/fabrics`, REDIS_URL: `redis://:${redis}@127.0.0.1:1` },
    {
      DATABASE_URL: `postgres://ann:${database}@nowhere.invalid/fabrics`,
      REDIS_URL: `rediss://ann:${redis}@nowhere.invalid`,
    },
    { DATABASE_URL: `postgre://ann:${database}@127.0.0.1/fabrics`, REDIS_URL: `http://:${redis}@127.0.0.1` },
    {
      DATABASE_URL: `postgres://ann:${database}@127.0.0.1:port/fabrics`,
      REDIS_URL: `redis://:${redis}@127.0.0.1:port`,
    },
    {
      FABRIC_SYNCD_LOCK_REDIS_URLS: `redis://:${redis}@127.0.0.1:1,redis://:${redis}@127.0.0.1:1`,
      REDIS_URL: 'redis://127.0.0.1:1',
    },
  ];
  for (const env of wrong) {
    const daemon = bed.daemon({ ...env, FABRIC_SYNCD_LOG_LEVEL: 'trace' });
    const [status, doctor, config] = await Promise.all([
      bed.cliWith(env, 'status'),
      bed.cliWith(env, 'doctor', '--json'),
      bed.cliWith(env, 'check-config'),
    ]);
    for (const answer of [status, doctor, config]) {
      expect(answer.stdout + answer.stderr).not.toBe('');
      aviary.listen(JSON.stringify(Object.keys(env)), `${answer.stdout}\n${answer.stderr}`);
    }
    await vi.waitFor(() => expect(daemon.output).not.toBe(''), eventually);
    await daemon.stop();
    aviary.listen('the log', daemon.output);
  }
  expect(aviary.heard()).toEqual([]);
});

test('what listens for canaries hears them', () => {
  const aviary = new Aviary();
  const secret = aviary.add('a token', canary());
  aviary.listen('a log', `Authorization: Bearer ${secret}`);
  aviary.listen('a row', Buffer.from(secret).toString('base64'));
  aviary.listen('a dump', `\\x${Buffer.from(secret).toString('hex')}`);
  aviary.listen('silence', 'nothing');
  expect(aviary.heard()).toEqual(['a token, plain, in a log', 'a token, base64, in a row', 'a token, hex, in a dump']);
});

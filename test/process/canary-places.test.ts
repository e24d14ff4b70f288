// A secret of its own in every place where one can enter, and fabrics that say their own credential back to us in every
// way. Whatever then leaves the program, by whichever door, is searched for all of them.

import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { askForText, hearDaemon } from '../../src/admin/client.ts';
import { createCa, issueServerCertificate, validFrom } from '../../src/demo/fabrics/certificates.ts';
import { Aviary, canary, dumpDatabase, dumpRedis, withPassword } from '../support/aviary.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { type Bed, bedsOfThisFile } from '../support/process/bed.ts';
import { type Daemon, type Environment, eventually } from '../support/process/daemon.ts';
import { type RawAnswer, raw, startRawApi } from '../support/raw-api.ts';
import { ownRedis, redisFound } from '../support/redis.ts';
import { runFabricSyncd } from '../support/run-program.ts';

const openBed = bedsOfThisFile();
const text = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? '';

/** What a fabric may do with the header by which we log in: it knows it, and may say it to anybody. */
const echoes: Readonly<Record<string, (said: string, path: string) => string>> = {
  'as-401': (said) =>
    raw(401, text({ kind: 'Status', message: `who is ${said}?` }), { 'www-authenticate': `Bearer realm="${said}"` }),
  'as-500': (said) => raw(500, text({ kind: 'Status', message: `${'x'.repeat(280)}${said}`, reason: said })),
  'as-plain': (said) => raw(503, said, { 'content-type': 'text/plain', 'retry-after': said }),
  'as-redirect': (said) => raw(302, '', { location: `https://ann:${said}@${said}.example/${said}?token=${said}` }),
  'as-kind': (said) => raw(200, text({ kind: said, apiVersion: said, [said]: said })),
  'as-page': (said) => raw(200, `<html>${said}</html>`, { 'content-type': `text/html; x=${said}` }),
  'as-garbage': (said) => `${said}\r\n${said}: ${said}\r\n\r\n${said}`,
  'as-headers': (said) => raw(200, `{"groups": ${said}`, { [`x-${said}`]: said, 'content-type': said }),
  'as-uid': (said, path) => ok(path, said.slice('Bearer '.length)),
  'as-version': (said, path) => (path === '/apis' ? groupsOf(said.slice('Bearer '.length)) : ok(path, uid)),
  'as-plural': (said, path) =>
    path === '/apis' ? groupsOf('v1beta1') : ok(path, uid, { plural: said.slice('Bearer '.length) }),
  'as-objects': (said, path) =>
    path === '/apis'
      ? groupsOf('v1beta1')
      : ok(path, uid, { plural: 'switches', object: said.slice('Bearer '.length) }),
};

const uid = 'c1a55e77-0000-4000-8000-000000000001';
const group = 'wiring.githedgehog.com';

/** Discovery of one group. */
function groupsOf(version: string): string {
  const groups = [{ name: group, versions: [{ version, groupVersion: `${group}/${version}` }] }];
  return raw(200, text({ kind: 'APIGroupList', groups }));
}

/** What else a fabric answers that does as it should, until it names something. */
function ok(path: string, cluster: string, named: { plural?: string; object?: string } = {}): string {
  const apiVersion = `${group}/v1beta1`;
  if (path === '/apis') return groupsOf('v1beta1');
  if (path === '/version') return raw(200, text({ gitVersion: cluster }));
  if (path === '/api/v1/namespaces/kube-system') {
    return raw(200, text({ kind: 'Namespace', apiVersion: 'v1', metadata: { uid: cluster } }));
  }
  if (path === `/apis/${apiVersion}`) {
    const resource = { name: named.plural ?? 'switches', kind: 'Switch', namespaced: true, verbs: ['list'] };
    return raw(200, text({ kind: 'APIResourceList', resources: [resource] }));
  }
  const { object } = named;
  if (object === undefined || !path.includes('/switches')) return raw(500, '{}');
  const usual = { name: 'leaf', namespace: 'default', uid, resourceVersion: '1' };
  const items = ['name', 'namespace', 'uid', 'resourceVersion'].map((key) => ({
    metadata: { ...usual, name: `leaf-${key.toLowerCase()}`, [key]: object },
  }));
  const kinds = [
    { kind: object, metadata: { ...usual, name: 'kind' } },
    { apiVersion: object, metadata: { ...usual, name: 'version' } },
  ];
  return raw(
    200,
    text({ kind: 'SwitchList', apiVersion, metadata: { resourceVersion: '1' }, items: [...items, ...kinds] }),
  );
}

/** A fabric's row as anybody could write it, to a server that is not one. @returns its URL */
async function hostile(bed: Bed, name: string, answer: RawAnswer, credential: Readonly<Record<string, string>>) {
  const server = await startRawApi(answer);
  bed.onClose(() => server.stop());
  const created = new Date(Date.now() - 60_000);
  const row = {
    ...{ name, kubernetes_server: server.url, kubernetes_ca_cert: server.caPem, sync_interval: 1, created },
    ...credential,
  };
  await bed.sql`insert into fabric ${bed.sql(row)}`;
  return server.url;
}

function kubeconfig(server: string, caPem: string, user: object): string {
  const caData = Buffer.from(caPem).toString('base64');
  return text({
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': caData } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

/** Of every process of this host, as any of its users can see them. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.join('\n').replaceAll('\0', ' ');
}

/** It starts four servers and asks for some two hundred answers. */
const withinMs = 300_000;

/** Every document of the inspector that there is, with each run and each trace that it knows. */
async function lookAround(aviary: Aviary, base: string, names: readonly string[]): Promise<void> {
  const read = async (path: string): Promise<string> => {
    const answer = await fetch(`${base}${path}`);
    const body = await answer.text();
    aviary.listen('the inspector', `${text([...answer.headers])}${body}`);
    return body;
  };
  for (const path of ['/', '/fabrics/by-file', '/api/fleet', '/api/machine', '/api/timers', '/api/session']) {
    await read(path);
  }
  let traces = 0;
  for (const name of names) {
    const document = JSON.parse(await read(`/api/fabrics/${name}`)) as {
      runs: { id: string; trace_id: string | null }[];
    };
    for (const { id, trace_id } of document.runs.slice(0, 3)) {
      await read(`/api/fabrics/${name}/runs/${id}`);
      const trace = trace_id === null ? '' : await read(`/api/traces/${trace_id}`);
      if (trace.includes('span_id')) traces++;
    }
  }
  expect(traces, 'traces that were looked at').toBeGreaterThan(names.length);
  const stop = new AbortController();
  const stream = await fetch(`${base}/api/events`, { signal: stop.signal });
  const first = await stream.body?.getReader().read();
  aviary.listen('the stream', Buffer.from(first?.value ?? []).toString('utf8'));
  stop.abort();
}

/** All that the command line says of these fabrics. */
async function askEverything(aviary: Aviary, env: Environment, names: readonly string[]): Promise<void> {
  const asked = [
    ['status'],
    ['fabric', 'list'],
    ['check-config'],
    ['doctor'],
    ['key', 'rotate'],
    ['metrics'],
    ['inspect', '--link'],
    ['trigger', ...names],
    ...names.flatMap((name) => [
      ['status', name],
      ['fabric', 'show', name],
      ['fabric', 'test', name],
      ['history', name],
    ]),
  ];
  for (const argv of asked) {
    for (const more of [[], ['--json']]) {
      const { stdout, stderr } = await runFabricSyncd([...argv, ...more], { env });
      aviary.listen(argv.join(' '), `${stdout}\n${stderr}`);
    }
  }
  const told = await runFabricSyncd(['inspect', '--json'], { env, until: (stdout) => stdout.includes('\n') });
  aviary.listen('inspect --json', told.stdout);
}

test.skipIf(redisFound === null)(
  'a secret is heard nowhere, wherever it came in and whoever says it back',
  { timeout: withinMs },
  async () => {
    const aviary = new Aviary();
    const passwords = ['of the timers', 'of the second lock node', 'of the third'].map((whose) =>
      aviary.add(`the password of Redis ${whose}`, canary()),
    );
    const nodes = await Promise.all(
      passwords.map(async (password) => {
        const server = await ownRedis(['--requirepass', password]);
        onTestFinished(() => server.remove());
        return server.url.replace('redis://', `redis://:${password}@`);
      }),
    );
    const receiver = await new OtlpReceiver().start();
    onTestFinished(() => receiver.stop());
    const bed = await openBed({ redis: { url: nodes[0] ?? '' } });

    // What systemd hands over: files that nobody but the service can read.
    const handed = join(bed.folder, 'credentials');
    await mkdir(handed);
    const hand = (name: string, secret: string) => writeFile(join(handed, name), secret);
    const key = aviary.add('the sealing key', (await bed.cli('key', 'generate')).stdout.trim());
    const databasePassword = aviary.add('the password of Postgres', canary());
    await hand('fabric-syncd.key', `${key}\n`);
    await hand('database-url', withPassword(bed.databaseUrl, databasePassword));
    await hand('redis-url', nodes[0] ?? '');
    await hand('lock-redis-urls', nodes.join(','));
    const env = {
      CREDENTIALS_DIRECTORY: handed,
      DATABASE_URL: '',
      REDIS_URL: '',
      FABRIC_SYNCD_LOG_LEVEL: 'trace',
      FABRIC_SYNCD_PAGE_LIMIT: '7',
      FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0',
      FABRIC_SYNCD_INSPECTOR_CONTROL: 'on',
    };
    const otlpHeader = aviary.add('a header of OTLP', canary());
    const telling = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${otlpHeader},x-scope=${otlpHeader}`,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_BLRP_SCHEDULE_DELAY: '50',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
    };
    const cliEnv = { ...bed.env(), ...env };

    // Good fabrics, each of which logs in by another way.
    const patients = [];
    for (const name of ['by-file', 'by-stdin', 'by-kubeconfig', 'by-context', 'by-systemd']) {
      const patient = await bed.fabric(name);
      aviary.add(`the token ${name}`, patient.cluster.token);
      patients.push(patient);
    }
    const [byFile, byStdin, byKubeconfig, byContext, bySystemd] = patients;
    if (!byFile || !byStdin || !byKubeconfig || !byContext || !bySystemd) throw new Error('five fabrics');
    await hand('fabric.token', bySystemd.cluster.token);
    await bed.sql`update fabric set credential_ref = 'credential:fabric.token' where id = ${bySystemd.id}`;
    const cli = async (argv: readonly string[], piped = '') => {
      const { code, stdout, stderr } = await runFabricSyncd(argv, { env: cliEnv, piped });
      expect(code, stderr).toBe(0);
      aviary.listen(argv.join(' '), stdout + stderr);
    };
    await cli(['fabric', 'set', 'by-stdin', '--token-file', '-'], byStdin.cluster.token);
    for (const [patient, by] of [[byKubeconfig, []] as const, [byContext, ['--by-reference']] as const]) {
      const path = join(bed.folder, `${patient.name}.yaml`);
      await writeFile(path, kubeconfig(patient.cluster.url, patient.cluster.caPem, { token: patient.cluster.token }));
      await cli(['fabric', 'set', patient.name, '--kubeconfig', path, ...by]);
    }

    // Fabrics that echo, each with a token of its own; and two that are shown a key.
    const names = [...Object.keys(echoes), 'keyed', 'keyed-sealed'];
    for (const [name, echo] of Object.entries(echoes)) {
      const file = join(bed.folder, `${name}.token`);
      await writeFile(file, aviary.add(`the token ${name}`, canary()));
      const answer: RawAnswer = ({ headers, url = '' }, socket) =>
        socket.end(echo(headers.authorization ?? '', url.replace(/\?.*$/, '')));
      await hostile(bed, name, answer, { credential_ref: `file:${file}` });
    }
    const ca = createCa('keys', Date.now());
    for (const name of ['keyed', 'keyed-sealed']) {
      const pair = issueServerCertificate(ca, { caName: 'keys', names: [name], validity: validFrom(Date.now(), 1) });
      aviary.addPem(`the key ${name}`, pair.keyPem);
      aviary.add(`the key ${name} in its kubeconfig`, Buffer.from(pair.keyPem).toString('base64'));
      const url = await hostile(bed, name, (_, socket) => socket.end(raw(403, '{}')), {});
      const path = join(bed.folder, `${name}.yaml`);
      const data = (pem: string) => Buffer.from(pem).toString('base64');
      const user = { 'client-certificate-data': data(pair.certPem), 'client-key-data': data(pair.keyPem) };
      await writeFile(path, kubeconfig(url, ca.certPem, user));
      const by = name === 'keyed' ? ['--by-reference'] : [];
      await cli(['fabric', 'set', name, '--kubeconfig', path, '--no-test', ...by]);
    }

    const daemon = await bed.daemon({ ...env, ...telling }, 1).ready();
    const deaf = new AbortController();
    await hearDaemon(daemon.socketPath, (tiding) => aviary.listen('/v1/events', text(tiding)), deaf.signal);
    for (const patient of patients) await patient.synced();
    await vi.waitFor(async () => {
      const silent = await bed.sql`
        select name from fabric f where name = any(${names})
           and not exists (select from fabric_run r where r.fabric_id = f.id and r.finished_at is not null)`;
      expect([...silent], 'hostile fabrics that were not met yet').toEqual([]);
    }, eventually);
    // Where a list goes on is known to the fabric alone; it may hold anything.
    for (const { cluster } of patients) {
      for (const { url } of cluster.accesses) {
        const token = new URLSearchParams(url.split('?')[1]).get('continue');
        if (token) aviary.add('where a list goes on', token);
      }
    }

    const { url: base } = await daemon.says(/^the inspector is at /);
    const everybody = [...patients.map(({ name }) => name), ...names];
    await lookAround(aviary, String(base), everybody);
    await askEverything(aviary, cliEnv, everybody);
    for (const path of ['/v1/health', '/v1/fleet', '/v1/metrics', '/v1/log-level', '/api/fleet', '/api/timers']) {
      aviary.listen(path, (await askForText(daemon.socketPath, path, AbortSignal.timeout(10_000))) ?? '');
    }
    await listenToTheHost(aviary, daemon);
    await receiver.until(({ metrics, logs, spans }) => metrics.length > 0 && logs.length > 20 && spans.length > 50);
    for (const url of nodes) aviary.listen('Redis', await dumpRedis(url));
    aviary.listen('the database', await dumpDatabase(bed.sql));
    deaf.abort();
    await daemon.stop();
    aviary.listen('its log', daemon.output);

    // One that ends by itself: what it says then is not the log's usual way.
    await bed.sql`insert into fabric_migration (number, name, hash) values (9999, '9999_later.sql', 'x')`;
    const ending = bed.daemon(env);
    expect(await ending.ended()).toBe(7);
    aviary.listen('its last words', ending.output);

    expect(receiver.requests.some(({ headers }) => headers.authorization === `Bearer ${otlpHeader}`)).toBe(true);
    for (const what of ['spans', 'metrics', 'logs'] as const) aviary.listen(`OTLP: ${what}`, text(receiver[what]));
    for (const [where, length] of aviary.said) expect(length, `what ${where} said`).toBeGreaterThan(1);
    expect(aviary.heard()).toEqual([]);
  },
);

/** The process list, and the environment that the daemon itself was given and gives to others. */
async function listenToTheHost(aviary: Aviary, daemon: Daemon): Promise<void> {
  aviary.listen('the process list', await commandLines());
  const environment = (await readFile(`/proc/${daemon.pid}/environ`, 'utf8')).split('\0');
  // Where OpenTelemetry wants its headers; there is no other way in for them.
  const others = environment.filter((line) => !line.startsWith('OTEL_EXPORTER_OTLP_HEADERS='));
  expect(others.length).toBe(environment.length - 1);
  aviary.listen('its environment', others.join('\n'));
}

test('a collector that says our header back hears it alone', async () => {
  const aviary = new Aviary();
  const header = aviary.add('a header of OTLP', canary());
  const login = aviary.add('a password in the address of a collector', canary());
  const bed = await openBed({ redis: 'none' });
  const lab = await bed.fabric('lab');
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    const said = String(request.headers['x-key']);
    request.resume().once('end', () => response.writeHead(400, said, { 'x-key': said }).end(`who is ${said}?`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const telling = {
    OTEL_EXPORTER_OTLP_HEADERS: `x-key=${header}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_BLRP_SCHEDULE_DELAY: '50',
    OTEL_METRIC_EXPORT_INTERVAL: '200',
    FABRIC_SYNCD_LOG_LEVEL: 'trace',
  };
  for (const endpoint of [`http://127.0.0.1:${port}`, `http://ann:${login}@127.0.0.1:${port}`, `nothing:${login}`]) {
    const before = asked;
    const daemon = await bed.daemon({ ...telling, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).ready();
    await lab.synced((await lab.runs()).at(-1)?.id);
    if (endpoint.includes(`127.0.0.1:${port}`)) {
      await vi.waitFor(() => expect(asked).toBeGreaterThan(before + 2), eventually);
      await daemon.says(/not (?:delivered|exported)/);
    }
    await daemon.stop();
    aviary.listen('its log', daemon.output);
  }
  expect(aviary.heard()).toEqual([]);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { runFabricSyncd } from '../support/run-program.ts';

const run = (line: string, env: Record<string, string> = {}) =>
  runFabricSyncd(line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [], { env });

describe('the command lines that settings refuse before anything is done', () => {
  const way = '--server https://cn:6443 --token-file t --ca-file c';
  test.each([
    ['fabric add', "missing required argument 'name'"],
    [`fabric add 12 ${way}`, 'cannot be all digits'],
    [`fabric add -- -lab`, 'begins and ends with a letter or digit'],
    [`fabric add 'a/b' ${way}`, 'up to 100 letters, digits'],
    [`fabric add ${'a'.repeat(101)} ${way}`, 'up to 100 letters, digits'],
    ['fabric add lab', 'where is it?'],
    ['fabric add lab --server https://cn:6443', 'no credential'],
    [`fabric add lab ${way} --token-ref file:/t`, 'cannot be used with option'],
    ['fabric add lab --kubeconfig k --token-file t', 'cannot be used with option'],
    [`fabric add lab ${way} --interval -1`, '"-1" is not a time'],
    [`fabric add lab ${way} --interval 60`, '"60" is not a time'],
    [`fabric add lab ${way} --interval 500ms`, 'whole seconds'],
    [`fabric add lab ${way} --interval 4000d`, 'at most 3650d'],
    [`fabric add lab ${way} --scheduler maybe`, 'Expected on or off'],
    [`fabric add lab ${way} --guard-share 120%`, 'Expected a share'],
    [`fabric add lab ${way} --guard-count -1`, 'Expected a whole number'],
    [`fabric add lab ${way} --namespace Default`, 'name of a Kubernetes namespace'],
    [`fabric add lab ${way} --kinds Switch`, 'Expected +Kind and -Kind'],
    [`fabric add lab ${way} --kinds -Swich`, 'did you mean Switch?'],
    // Not the program's own -V.
    [`fabric add lab ${way} --kinds -VPCs`, 'did you mean VPC?'],
    [`fabric add lab ${way} --kinds +Agent`, 'is never stored'],
    [`fabric add lab ${way} --server`, 'argument missing'],
    ['fabric set lab', 'nothing to change'],
    ['fabric set lab --no-test', 'nothing to change'],
    ['fabric set lab --enable --disable', 'contradict'],
    ['fabric set lab --name 7', 'cannot be all digits'],
    ['fabric set lab --name ', 'argument missing'],
    ['completion tcsh', 'Allowed choices are bash, zsh, fish'],
  ])('%s', async (line, words) => {
    const refused = await run(line);
    expect(refused).toMatchObject({ code: exitCodes.usage.code, stdout: '' });
    expect(refused.stderr).toContain(words);
  });

  test('a token is no argument: every user of the host can read the list of processes', async () => {
    expect((await run('fabric add lab --server https://cn:6443 --token abc')).code).toBe(exitCodes.usage.code);
    expect((await run('fabric add --help')).stdout).not.toMatch(/--token[ =]/);
  });
});

describe('without a database', () => {
  test.each(['fabric list', 'fabric show lab', 'fabric remove lab', 'fabric test lab', 'migrate', 'rbac lab'])(
    '%s says which setting is missing',
    async (line) => {
      const { code, stderr } = await run(line);
      expect(code).toBe(exitCodes.settings.code);
      expect(stderr).toContain('DATABASE_URL is not set');
    },
  );

  test('a URL that cannot be read is not repeated, since it may hold a password', async () => {
    const { code, stderr } = await run('fabric list', { DATABASE_URL: 'postgres://u:canary@h:99999/d' });
    expect(code).toBe(exitCodes.settings.code);
    expect(stderr).toContain('DATABASE_URL');
    expect(stderr).not.toContain('canary');
  });

  test('names of fabrics are none, and that is no error in the middle of a line', async () => {
    expect(await run('complete-fabrics')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});

describe('key generate', () => {
  test('prints a key and nothing else, another one each time', async () => {
    const [first, second] = [await run('key generate'), await run('key generate')];
    expect(first.stdout).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    expect(second.stdout).not.toBe(first.stdout);
  });

  test('as a document also says by which id the key is known', async () => {
    expect((await run('key generate --json')).json()).toEqual({
      key: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
      key_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });
});

describe('check-config', () => {
  test('shows what every setting came to, and where it is from, with passwords masked', async () => {
    const env = { DATABASE_URL: 'postgres://u:canary@h/d', FABRIC_SYNCD_CONCURRENCY: '3' };
    const checked = await run('check-config', env);
    expect(checked.code).toBe(0);
    expect(checked.stdout).toMatch(/^DATABASE_URL +postgres:\/\/u:\*\*\*@h\/d +environment$/m);
    expect(checked.stdout).toMatch(/^FABRIC_SYNCD_CONCURRENCY +3 +environment$/m);
    expect(checked.stdout).toMatch(/^FABRIC_SYNCD_LEASE_TTL +30s +default$/m);
    const document = await run('check-config --json', env);
    expect(document.json()).toMatchObject({ ok: true, problems: [] });
    expect(checked.stdout + document.stdout).not.toContain('canary');
  });

  test('tells every problem at once', async () => {
    const env = { FABRIC_SYNCD_CONCURRENCY: '0', FABRIC_SYNCD_LEASE_TTL: 'soon', FABRIC_SYNCD_NONSENSE: '1' };
    const checked = await run('check-config --json', env);
    expect(checked.code).toBe(exitCodes.settings.code);
    const { problems } = checked.json<{ problems: string[] }>();
    expect(problems).toHaveLength(3);
    expect((await run('check-config', env)).stdout).toContain('has 3 problem(s)');
  });

  describe('with systemd’s credentials', () => {
    let directory = '';
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'fabric-syncd-credentials-'));
    });
    afterEach(() => rm(directory, { recursive: true }));

    test('reads them, and the environment counts before them', async () => {
      await writeFile(join(directory, 'database-url'), 'postgres://u:canary@handed/d\n');
      await writeFile(join(directory, 'redis-url'), 'none\n');
      const env = { CREDENTIALS_DIRECTORY: directory, REDIS_URL: 'redis://given' };
      const { stdout, code } = await run('check-config', env);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^DATABASE_URL +postgres:\/\/u:\*\*\*@handed\/d +credential$/m);
      expect(stdout).toMatch(/^REDIS_URL +redis:\/\/given +environment$/m);
      expect(stdout).not.toContain('canary');
    });

    test('says when they cannot be read', async () => {
      await writeFile(join(directory, 'file'), '');
      const wrong = await run('check-config', { CREDENTIALS_DIRECTORY: join(directory, 'file') });
      expect(wrong.code).toBe(exitCodes.settings.code);
      expect(wrong.stdout).toContain('DATABASE_URL: the systemd credential');
    });
  });
});

describe('rbac without a fabric', () => {
  test('is a manifest that may list every default kind, and watch or change nothing', async () => {
    const { stdout, code } = await run('rbac');
    expect(code).toBe(0);
    const documents = parseAllDocuments(stdout).map((document) => document.toJS() as Record<string, unknown>);
    expect(documents.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'Secret',
      'Role',
      'RoleBinding',
      'ClusterRole',
      'ClusterRoleBinding',
    ]);
    const rules = (documents[2] as { rules: { resources: string[]; verbs: string[] }[] }).rules;
    expect(rules.flatMap(({ resources }) => resources)).toHaveLength(15);
    expect(rules.flatMap(({ resources }) => resources)).toContain('switches');
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['list']));
  });

  test('as a document is a List that kubectl applies as it is', async () => {
    const list = (await run('rbac --json')).json<{ kind: string; items: object[] }>();
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' });
    expect(list.items).toHaveLength(6);
  });
});

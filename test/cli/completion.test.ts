import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyVerb } from '../../src/cli/verbs.ts';
import { runFabricSyncd } from '../support/run-program.ts';

const run = promisify(execFile);
const isThere = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

let folder = '';
let env: NodeJS.ProcessEnv;
const script = (shell: string) => join(folder, `script.${shell}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-completion-'));
  // What the scripts ask for names of fabrics.
  const asked = join(folder, 'fabric-syncd');
  await writeFile(asked, '#!/bin/sh\n[ "$1" = complete-fabrics ] && printf "lab\\nlarge one\\nmedium\\n"\n');
  await chmod(asked, 0o755);
  await writeFile(join(folder, 'lab.kubeconfig'), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    await writeFile(script(shell), (await runFabricSyncd(['completion', shell])).stdout);
  }
  env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
});
afterAll(() => rm(folder, { recursive: true }));

/** What the shell offers at the end of a line; the words are given apart, the last is being typed. */
type Complete = (words: readonly string[]) => Promise<string[]>;

const inBash: Complete = async (words) => {
  const program = `source ${script('bash')}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _fabric_syncd; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', program, 'bash', 'fabric-syncd', ...words], { env, cwd: folder });
  return stdout.split('\n').filter((line) => line !== '');
};

const inFish: Complete = async (words) => {
  const line = ['fabric-syncd', ...words].join(' ');
  const { stdout } = await run('fish', ['--no-config', '-c', `source ${script('fish')}; complete -C "${line}"`], {
    env,
    cwd: folder,
  });
  return stdout.split('\n').flatMap((offer) => (offer === '' ? [] : [offer.split('\t')[0] ?? '']));
};

/** Zsh completes only with its line editor: its own functions are told to print what they would offer. */
const inZsh: Complete = async (words) => {
  const program = `
    compdef() { :; }
    source ${script('zsh')}
    _describe() { local -a all; all=("\${(@P)@[-1]}"); print -rl -- "\${(@)all%%:*}"; }
    compadd() { [[ $1 == -a ]] && print -rl -- "\${(@P)2}" || { shift; print -rl -- "$@"; }; }
    _files() { print -rl -- *(N); }
    _message() { :; }
    words=("$@"); CURRENT=$#; PREFIX=$words[-1]
    _fabric-syncd`;
  const { stdout } = await run('zsh', ['-f', '-c', program, 'zsh', 'fabric-syncd', ...words], { env, cwd: folder });
  const typed = words.at(-1) ?? '';
  return stdout.split('\n').filter((line) => line !== '' && line.startsWith(typed));
};

describe.each([
  ['bash', inBash],
  ['fish', inFish],
  ['zsh', inZsh],
] as const)('completion in %s', (shell, complete) => {
  const tried = test.skipIf(!isThere(shell));

  tried('offers every verb that is not hidden', async () => {
    const offered = await complete(['']);
    for (const { path, hidden } of await everyVerb()) {
      if (hidden) expect(offered).not.toContain(path[0]);
      else expect(offered).toContain(path[0]);
    }
  });

  tried('goes on with the second word of a verb', async () => {
    expect((await complete(['fabric', ''])).sort()).toEqual(['add', 'list', 'remove', 'set', 'show', 'test']);
    expect(await complete(['fabric', 're'])).toEqual(['remove']);
  });

  tried('offers the options of that verb and of no other', async () => {
    const offered = await complete(['fabric', 'add', 'lab', '--ca']);
    expect(offered).toEqual(['--ca-file']);
    expect(await complete(['fabric', 'list', '--ca'])).toEqual([]);
    expect(await complete(['fabric', 'list', '--js'])).toEqual(['--json']);
  });

  tried('offers names of fabrics where a verb wants one', async () => {
    const names = (await complete(['fabric', 'show', ''])).map((name) => name.replace('\\', ''));
    expect(names.sort()).toEqual(['lab', 'large one', 'medium']);
    expect(await complete(['status', 'me'])).toEqual(['medium']);
  });

  tried('is not led astray by the value of an option', async () => {
    expect(await complete(['fabric', 'set', '--description', 'fabric', 'me'])).toEqual(['medium']);
  });

  tried('offers what a value may be: files, words, or nothing', async () => {
    expect(await complete(['fabric', 'add', 'lab', '--kubeconfig', 'lab.'])).toEqual(['lab.kubeconfig']);
    expect((await complete(['fabric', 'set', 'lab', '--scheduler', ''])).sort()).toEqual(['off', 'on']);
    expect((await complete(['completion', ''])).sort()).toEqual(['bash', 'fish', 'zsh']);
    expect(await complete(['log-level', 'deb'])).toContain('debug');
    expect(await complete(['fabric', 'add', 'lab', '--interval', ''])).toEqual([]);
  });
});

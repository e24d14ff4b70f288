// Words on a command line, with no server to reach: an exit status of the table, one document with `--json`, and never a throw.

import { PassThrough, Readable } from 'node:stream';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { systemClock } from '../../../src/clock.ts';
import { systemDice } from '../../../src/dice.ts';
import type { Target } from '../target.ts';

/** What would run for ever, or start servers and processes. */
const aside: ReadonlySet<string> = new Set(['run', 'demo', 'inspect']);
const codes: ReadonlySet<number> = new Set(Object.values(exitCodes).map(({ code }) => code));
/** Nobody listens on port 1: every verb gets as far as its first question. */
const env = {
  DATABASE_URL: 'postgres://ann@127.0.0.1:1/none',
  REDIS_URL: 'none',
  FABRIC_SYNCD_ADMIN_SOCKET: '/nonexistent/admin.sock',
};

export const commandLine: Target = {
  name: 'argv',
  about: 'words on a command line, a line each',
  seeds: [
    'status\n--json',
    'fabric\nadd\nlab\n--server\nhttps://127.0.0.1:1\n--token-file\n-\n--interval\n60s',
    'fabric\nset\nlab\n--kinds\n+Agent,-VPC\n--guard-share\n20%',
    'trigger\nlab\n--json',
    'history\nlab\n--limit\n5',
    'pause\nlab\n--reason\nx\n--for\n1h',
    'log-level\ndebug\n--for\n10m',
    'doctor\n--grants\n--json',
    'rbac\n--json',
    'key\ngenerate',
    'completion\nbash',
    'help\nfabric',
    'check-config\n--json',
  ],
  async open() {
    return {
      async run(input) {
        const argv = input.toString('utf8').split('\n').slice(0, 40);
        // A program is never given a NUL: the system ends each word with one.
        if (argv.some((word) => aside.has(word) || word.includes('\0'))) return;
        let text = '';
        const stdout = new PassThrough().on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
        });
        const code = await runProgram({
          ...{ argv, env, cwd: '/nonexistent', entry: '/fabric-syncd', hostname: 'noc', user: 'ann', pid: 4711 },
          ...{ clock: systemClock, dice: systemDice, stdin: Readable.from([]) },
          ...{ stdout, stderr: new PassThrough().resume(), columns: () => null },
          isTerminal: { stdin: false, stdout: false, stderr: false },
          onSignal: () => () => {},
          exitNow() {
            throw new Error('it ended the process');
          },
        });
        if (!codes.has(code)) throw new Error(`exit status ${code}`);
        const end = argv.indexOf('--');
        const isJson = (end < 0 ? argv : argv.slice(0, end)).includes('--json');
        if (isJson && code !== 0 && text.trim() !== '') JSON.parse(text);
      },
      close: async () => {},
    };
  },
};

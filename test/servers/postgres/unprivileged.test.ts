// U2: a server that root starts as somebody else, from a folder that is closed to others.

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { asAccount, serverAccount } from '../../../src/demo/servers/unprivileged.ts';

const asRoot = test.skipIf(process.getuid?.() !== 0);

asRoot('it may run, read and ask about the programs there', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'fabric-syncd-closed-'));
  onTestFinished(() => rm(closed, { recursive: true, force: true }));
  await chmod(closed, 0o700);
  const bin = join(closed, 'bin');
  await mkdir(bin);
  const program = join(bin, 'initdb');
  await writeFile(program, '#!/bin/sh\nid -u\n', { mode: 0o755 });
  // access(2), as initdb asks about the programs beside it; and then that program itself.
  const asks = `const { accessSync, constants } = require('node:fs');
    accessSync(process.argv[1], constants.R_OK | constants.X_OK);
    process.stdout.write(require('node:child_process').execFileSync(process.argv[1]));`;
  const account = await serverAccount();
  const { command, args, ...ids } = await asAccount(account, [program], process.execPath, ['-e', asks, program]);
  const { stdout } = await promisify(execFile)(command, args, { ...ids, cwd: '/', timeout: 20_000 });
  expect(Number(stdout)).toBe(account?.uid);
});

// Before `npm pack`: compiles what the package ships, puts what is no TypeScript beside it, and swaps package.json last,
// so that a build that fails leaves the checkout as it was.

import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { root, swapBack, swapIn } from './manifest.ts';

swapBack();
rmSync(new URL('dist', root), { recursive: true, force: true });
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
if (status !== 0) throw new Error('it does not compile: nothing is packed');
for (const folder of ['machines', 'otel', 'src']) {
  cpSync(fileURLToPath(new URL(folder, root)), fileURLToPath(new URL(`dist/${folder}`, root)), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts') || statSync(path).isDirectory(),
  });
}
swapIn();

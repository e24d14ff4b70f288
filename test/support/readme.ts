// The parts of the README that are made from the code: `npm run readme` writes them, a test compares them.

import { fabricMachine } from '../../machines/fabric/machine.ts';
import type { EventContract, MetricContract, SpanContract } from '../../otel/contract.ts';
import { attributes, counted, distributed, events, observed, ofProcess, ofSdk, spans } from '../../otel/names.ts';
import { prometheusName } from '../../otel/prometheus.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { everyVerb } from '../../src/cli/verbs.ts';
import { settings } from '../../src/settings.ts';
import { drawMachine } from './diagram.ts';

const verbs = await everyVerb();

const forks = [
  { name: 'as_planned', guards: ['planIsIdle', 'planIsScheduled', 'planIsBackoff', 'planIsErrored'] },
  { name: 'as_before', guards: ['cameFromScheduled', 'cameFromBackoff', 'cameFromErrored'] },
];

const cell = (text: string) => text.replaceAll('|', '\\|');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** Each part by the name in its marks: `<!-- made: NAME -->` … `<!-- /made -->`. */
export const parts: Readonly<Record<string, () => string>> = {
  states: () => `\`\`\`mermaid\n${drawMachine(fabricMachine, forks)}\n\`\`\``,
  verbs: () =>
    table(
      ['verb', 'does', 'for example'],
      verbs
        .filter((verb) => verb.hidden !== true)
        .map(({ path, summary, examples }) => [`\`${path.join(' ')}\``, summary, `\`${examples[0]}\``]),
    ),
  'exit codes': () =>
    table(
      ['code', 'means'],
      Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]),
    ),
  settings: () =>
    table(
      ['setting', 'default', 'what it is'],
      Object.values(settings).map(({ name, fallback, description, credential }) => [
        `\`${name}\``,
        fallback === '' ? '' : `\`${fallback}\``,
        credential ? `${description} Or the systemd credential \`${credential}\`.` : description,
      ]),
    ),
  spans: () =>
    table(
      ['span', 'appears', 'attributes'],
      Object.values<SpanContract>(spans).map(({ name, when, always, sometimes = [], events: happen = [], links }) => {
        const told = [...always, ...sometimes.map((attribute) => `${attribute}?`)].map(
          (attribute) => `\`${attribute}\``,
        );
        const more = [...happen.map((event) => `event \`${event}\``), ...(links ? ['links'] : [])];
        return [`\`${name}\``, when, [...told, ...more].join(', ')];
      }),
    ),
  'span attributes': () =>
    table(
      ['attribute', 'is'],
      [
        ...Object.entries(attributes).map(([name, is]) => [`\`${name}\``, is]),
        ...Object.entries<EventContract>(events).map(([name, event]) => [
          `event \`${name}\``,
          `${event.when} With ${event.attributes.map((attribute) => `\`${attribute}\``).join(', ')}.`,
        ]),
      ],
    ),
  metrics: () =>
    table(
      ['metric', 'labels', 'says'],
      [
        ...Object.values<MetricContract>({ ...counted, ...distributed, ...observed, ...ofProcess }).map((metric) => [
          `\`${prometheusName(metric)}\``,
          Object.keys(metric.attributes)
            .map((attribute) => `\`${attribute.replaceAll('.', '_')}\``)
            .join(', '),
          metric.when,
        ]),
        ...Object.entries(ofSdk).map(([name, says]) => {
          const isCounter = /\.(?:processed|exported)$/.test(name);
          const inPrometheus = `${name.replaceAll('.', '_')}${isCounter ? '_total' : ''}`;
          return [`\`${inPrometheus}\``, isCounter ? '`error_type`' : '', `${says} Only where they are exported.`];
        }),
      ],
    ),
};

const part = (name: string) => new RegExp(`(<!-- made: ${name} -->\n)[\\s\\S]*?(<!-- /made -->)`);

/** @returns the README with every part as the code is now */
export function madeAnew(readme: string): string {
  return Object.entries(parts).reduce((text, [name, make]) => {
    if (!part(name).test(text)) throw new Error(`README.md has no part "${name}" between its marks`);
    return text.replace(part(name), (_, opening: string, closing: string) => `${opening}${make()}\n${closing}`);
  }, readme);
}

// Holds what was exported against the contract (`otel/names.ts`), in both directions.

import type { SpanContract } from '../../otel/contract.ts';
import { type AttributeName, attributes, events, type SpanKey, spans } from '../../otel/names.ts';

/** A span as any exporter sees it. */
export interface ToldSpan {
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly {
    readonly name: string;
    readonly attributes?: Readonly<Record<string, unknown>> | undefined;
  }[];
  readonly links: readonly { readonly attributes?: Readonly<Record<string, unknown>> | undefined }[];
}

const contracts: Readonly<Record<SpanKey, SpanContract<AttributeName, keyof typeof events>>> = spans;
const byKey = Object.entries(contracts) as readonly (readonly [SpanKey, SpanContract])[];

/** The name as the span's attributes make it; null where one of them is missing. */
function nameOf(pattern: string, told: ToldSpan['attributes']): string | null {
  let isWhole = true;
  const name = pattern.replace(/\{([^}]+)\}/g, (_, attribute: string) => {
    const value = told[attribute === 'path' ? 'url.full' : attribute];
    isWhole &&= value !== undefined;
    return attribute === 'path' && isWhole ? pathOf(String(value)) : String(value);
  });
  return isWhole ? name : null;
}

function pathOf(url: string): string {
  return new URL(url).pathname
    .replace(/^.*?(?=\/(api|apis|version)\b)/, '')
    .replace(/\/namespaces\/[^/]+/, '/namespaces/{namespace}');
}

/** Which span of the contract it is: of those whose name fits, the one that it breaches least. */
export function keyOf(span: ToldSpan): SpanKey | null {
  const fits = byKey.filter(([, { name }]) => nameOf(name, span.attributes) === span.name);
  const wrong = (key: SpanKey) => breachesOf(span, key).length;
  return fits.toSorted(([one], [other]) => wrong(one) - wrong(other))[0]?.[0] ?? null;
}

/** What a span tells that the contract does not know, and what it should tell and does not; in words. */
export function breaches(span: ToldSpan): readonly string[] {
  const key = keyOf(span);
  return key === null ? [`no such span: ${span.name}`] : breachesOf(span, key);
}

function breachesOf(span: ToldSpan, key: SpanKey): readonly string[] {
  const { kind, always, sometimes = [], events: known = [], links } = contracts[key];
  const told = Object.keys(span.attributes);
  const wrong: string[] = [];
  if (span.kind !== kind) wrong.push(`kind ${span.kind} instead of ${kind}`);
  for (const name of always) if (!told.includes(name)) wrong.push(`without ${name}`);
  for (const name of told) if (![...always, ...sometimes].includes(name as AttributeName)) wrong.push(`with ${name}`);
  for (const event of span.events) {
    const mine = known.find((name) => name === event.name);
    if (!mine) wrong.push(`event ${event.name}`);
    const should: readonly string[] = mine ? events[mine].attributes : [];
    const does = Object.keys(event.attributes ?? {});
    for (const name of does) if (!should.includes(name)) wrong.push(`event ${event.name} with ${name}`);
    for (const name of should) if (!does.includes(name)) wrong.push(`event ${event.name} without ${name}`);
  }
  if (span.links.length > 0 && !links) wrong.push('linked');
  for (const link of span.links) {
    for (const name of Object.keys(link.attributes ?? {})) if (!(name in attributes)) wrong.push(`link with ${name}`);
  }
  return wrong.map((what) => `${span.name}: ${what}`);
}

/** Everything of the contract that none of these told: `span key` or `span key: attribute`. */
export function untold(those: readonly ToldSpan[], keys: readonly SpanKey[]): readonly string[] {
  return keys.flatMap((key) => {
    const mine = those.filter((span) => keyOf(span) === key);
    if (mine.length === 0) return [key];
    const { always, sometimes = [], events: known = [], links } = contracts[key];
    const told = new Set(mine.flatMap((span) => Object.keys(span.attributes)));
    const happened = new Set(mine.flatMap((span) => span.events.map(({ name }) => name)));
    return [
      ...[...always, ...sometimes].filter((name) => !told.has(name)),
      ...known.filter((name) => !happened.has(name)),
      ...(links && !mine.some((span) => span.links.length > 0) ? ['a link'] : []),
    ].map((what) => `${key}: ${what}`);
  });
}

// A strict reader of Prometheus's text format 0.0.4: what Prometheus would let pass and what it would not.
//
//   https://prometheus.io/docs/instrumenting/exposition_formats/

import assert from 'node:assert/strict';

export interface Sample {
  /** As written: with `_bucket`, `_sum` or `_count` where it is of a histogram. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Draft extends Family {
  readonly samples: Sample[];
}

/** Throws where a line is not as the format wants it, a family is torn apart, or a histogram does not add up. */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  assert(text.endsWith('\n'), 'the last line must end with a line feed');
  const families = new Map<string, Draft>();
  const helps = new Map<string, string>();
  const seen = new Set<string>();
  let open: Draft | null = null;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    if (comment) {
      const [, word, name = '', rest = ''] = comment;
      if (word === 'HELP') {
        assert(!helps.has(name), `${name} has HELP twice`);
        helps.set(name, rest);
        continue;
      }
      assert(['counter', 'gauge', 'histogram'].includes(rest), `${line}: no type that is wanted here`);
      assert(!families.has(name), `${name} has TYPE twice`);
      open = { name, type: rest as Family['type'], help: helps.get(name) ?? '', samples: [] };
      families.set(name, open);
      continue;
    }
    assert(!line.startsWith('#'), `a comment of no use: ${line}`);
    const sample = readSample(line);
    assert(open && belongs(sample, open), `${line}: it does not stand in its family`);
    const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).toSorted())}`;
    assert(!seen.has(key), `${line}: it is there twice`);
    seen.add(key);
    open.samples.push(sample);
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const unescaped: Readonly<Record<string, string>> = { '\\"': '"', '\\\\': '\\', '\\n': '\n' };

function readSample(line: string): Sample {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  assert(match, `${line}: not a sample`);
  const [, name = '', inner = '', value = ''] = match;
  const labels: Record<string, string> = {};
  for (label.lastIndex = 0; label.lastIndex < inner.length; ) {
    const at = label.lastIndex;
    const found = label.exec(inner);
    assert(found, `${line}: not a label at "${inner.slice(at, at + 40)}"`);
    const [, key = '', text = ''] = found;
    assert(!(key in labels), `${line}: the label ${key} is there twice`);
    assert(text !== '', `${line}: an empty label is none`);
    labels[key] = text.replaceAll(/\\["\\n]/g, (escaped) => unescaped[escaped] ?? '');
  }
  assert(/^(?:[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/.test(value), `${line}: not a number`);
  return { name, labels, value: value.endsWith('Inf') ? Number(`${value}inity`) : Number(value) };
}

function belongs({ name }: Sample, family: Family): boolean {
  if (family.type !== 'histogram') return name === family.name;
  return ['_bucket', '_sum', '_count'].some((ending) => name === `${family.name}${ending}`);
}

function checkFamily({ name, type, help, samples }: Family): void {
  assert(samples.length > 0, `${name} has no samples`);
  assert(help !== '' && help !== 'description missing', `${name} has no HELP`);
  if (type === 'counter') {
    assert(name.endsWith('_total'), `the counter ${name} must end with _total`);
    for (const { value } of samples) assert(value >= 0, `the counter ${name} is below 0`);
  } else assert(!name.endsWith('_total'), `${name} is no counter`);
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = Map.groupBy(samples, ({ labels: { le, ...rest } }) => JSON.stringify(rest));
  for (const of of series.values()) {
    const one = (ending: string) => of.filter((sample) => sample.name === `${name}${ending}`);
    const buckets = one('_bucket').map(({ labels, value }) => ({ le: bound(labels.le), value }));
    const [count, ...more] = one('_count');
    assert(count && more.length === 0 && one('_sum').length === 1, `${name} wants one _count and one _sum`);
    assert.equal(buckets.at(-1)?.le, Number.POSITIVE_INFINITY, `${name} ends with +Inf`);
    assert.equal(buckets.at(-1)?.value, count.value, `${name}: the last bucket is all there are`);
    for (const [i, bucket] of buckets.slice(1).entries()) {
      const before = buckets[i];
      assert(before && before.le < bucket.le && before.value <= bucket.value, `${name} does not add up`);
    }
  }
}

const bound = (text = ''): number => (text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text));

/** Of the one sample with these labels (and perhaps others): its value; 0 where there is none. */
export function seriesValue(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const fits = [...families.values()]
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  assert(fits.length <= 1, `${name} ${JSON.stringify(labels)} is not one series but ${fits.length}`);
  return fits[0]?.value ?? 0;
}

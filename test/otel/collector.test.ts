// The collector's configuration, as far as it can be held against itself without a collector.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { attributes, spans } from '../../otel/names.ts';

interface Pipeline {
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

interface Configuration extends Record<keyof Pipeline, Readonly<Record<string, unknown>>> {
  readonly service: { readonly pipelines: Readonly<Record<string, Pipeline>> };
}

const read = (name: string) => readFileSync(new URL(`../../otel/${name}`, import.meta.url), 'utf8');
const configuration = parse(read('collector.yaml')) as Configuration;
const pipelines = Object.entries(configuration.service.pipelines);

describe('the collector', () => {
  test('has a pipeline for each signal that the daemon tells, with what is configured and nothing else', () => {
    expect(pipelines.map(([signal]) => signal)).toEqual(['traces', 'metrics', 'logs']);
    for (const part of ['receivers', 'processors', 'exporters'] as const) {
      const used = new Set(pipelines.flatMap(([, pipeline]) => pipeline[part]));
      expect([...used].toSorted(), part).toEqual(Object.keys(configuration[part]).toSorted());
    }
  });

  test('bounds its memory before all else, and makes batches after all else', () => {
    for (const [, { processors }] of pipelines) {
      expect(processors[0]).toBe('memory_limiter');
      expect(processors.at(-1)).toBe('batch');
    }
  });

  test('gives Jaeger traces alone', () => {
    const toJaeger = pipelines.filter(([, { exporters }]) => exporters.includes('otlp/jaeger'));
    expect(toJaeger.map(([signal]) => signal)).toEqual(['traces']);
  });
});

describe('the questions to ask in Jaeger', () => {
  const readme = read('README.md');

  test('use operations and attributes of the contract', () => {
    const named = [...readme.matchAll(/`((?:fabric|http|error)\.[a-z_.]+)(?:=[^`]*)?[ `]/g)].map(
      ([, name = '']) => name,
    );
    const known = [...Object.keys(attributes), ...Object.values(spans).map(({ name }) => name.split(' ')[0] ?? '')];
    // `fabric.run.outcome` also stands second in a pair of tags.
    const second = [...readme.matchAll(/=\S+ ([a-z_.]+)=/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(10);
    expect([...named, ...second].filter((name) => !known.includes(name))).toEqual([]);
  });
});

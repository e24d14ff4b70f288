// Makes instruments of descriptions: one of each, of one meter.

import type {
  Counter,
  Histogram,
  Meter,
  MetricOptions,
  Observable,
  ObservableCounter,
  ObservableGauge,
  ObservableUpDownCounter,
} from '@opentelemetry/api';
import type { MetricContract, MetricKind } from './contract.ts';

interface InstrumentOf {
  readonly counter: Counter;
  readonly histogram: Histogram;
  readonly 'observed counter': ObservableCounter;
  readonly 'observed gauge': ObservableGauge;
  readonly 'observed sum': ObservableUpDownCounter;
}

/** The instruments of a table, under the table's keys. */
export type Instruments<Table extends Readonly<Record<string, MetricContract>>> = {
  readonly [Key in keyof Table]: InstrumentOf[Table[Key]['kind']];
};

const make: { readonly [Kind in MetricKind]: (meter: Meter, name: string, options: MetricOptions) => object } = {
  counter: (meter, name, options) => meter.createCounter(name, options),
  histogram: (meter, name, options) => meter.createHistogram(name, options),
  'observed counter': (meter, name, options) => meter.createObservableCounter(name, options),
  'observed gauge': (meter, name, options) => meter.createObservableGauge(name, options),
  'observed sum': (meter, name, options) => meter.createObservableUpDownCounter(name, options),
};

export function instrumentsOf<Table extends Readonly<Record<string, MetricContract>>>(
  meter: Meter,
  table: Table,
): Instruments<Table> {
  const made = Object.entries(table).map(([key, { name, kind, unit, when, buckets }]) => {
    const advice = buckets.length > 0 ? { advice: { explicitBucketBoundaries: [...buckets] } } : {};
    return [key, make[kind](meter, name, { unit, description: when, ...advice })];
  });
  return Object.fromEntries(made) as Instruments<Table>;
}

/** Counters whose attributes are known begin at 0: a series that is born with its first event hides that event from `rate`. */
export function beginAtZero(
  table: Readonly<Record<string, MetricContract>>,
  counters: Readonly<Record<string, Counter>>,
): void {
  for (const [key, { attributes }] of Object.entries(table)) {
    for (const combination of combinations(Object.entries(attributes))) counters[key]?.add(0, combination);
  }
}

/** Every combination of values; none where one attribute is open. */
function combinations(
  attributes: readonly (readonly [string, readonly string[] | undefined])[],
): Record<string, string>[] {
  const [first, ...rest] = attributes;
  if (!first) return [{}];
  const [name, values = []] = first;
  return values.flatMap((value) => combinations(rest).map((more) => ({ [name]: value, ...more })));
}

/** The instruments of a table as a batch callback wants them. */
export const all = (instruments: Readonly<Record<string, Observable>>): Observable[] => Object.values(instruments);

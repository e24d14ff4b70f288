// What one row of the contract says (`names.ts`).

/** A table whose keys stay known. */
export const tableOf =
  <Row>() =>
  <Rows extends Readonly<Record<string, Row>>>(rows: Rows): Rows =>
    rows;

/** One event of a span. */
export interface EventContract<Attribute extends string = string> {
  /** One line: when it appears. */
  readonly when: string;
  readonly attributes: readonly Attribute[];
}

/** One span. */
export interface SpanContract<Attribute extends string = string, Event extends string = string> {
  /** With `{an.attribute}` where the value of that attribute stands. */
  readonly name: string;
  readonly kind: 'internal' | 'client';
  /** One line: when it appears. */
  readonly when: string;
  /** Attributes of every such span. */
  readonly always: readonly Attribute[];
  /** Attributes of some. */
  readonly sometimes?: readonly Attribute[];
  readonly events?: readonly Event[];
  readonly links?: boolean;
}

/** `observed`: read when somebody looks; what is not told any more is gone. */
export type MetricKind = 'counter' | 'histogram' | 'observed counter' | 'observed gauge' | 'observed sum';

type Attributes<Attribute extends string> = Readonly<Partial<Record<Attribute, readonly string[]>>>;

/** One metric. */
export interface MetricContract<Attribute extends string = string, Kind extends MetricKind = MetricKind> {
  readonly kind: Kind;
  readonly name: string;
  /** UCUM; `{thing}` where things are counted. */
  readonly unit: string;
  /** What it says, and when it appears. */
  readonly when: string;
  /** Each with its values, or with none where they are open. */
  readonly attributes: Attributes<Attribute>;
  /** Upper bounds of a histogram. */
  readonly buckets: readonly number[];
}

const metric =
  <Kind extends MetricKind>(kind: Kind) =>
  <Attribute extends string = never>(
    name: string,
    unit: string,
    when: string,
    attributes = {} as Attributes<Attribute>,
    buckets: readonly number[] = [],
  ): MetricContract<Attribute, Kind> => ({ kind, name, unit, when, attributes, buckets });

export const counter = metric('counter');
export const histogram = metric('histogram');
export const observedCounter = metric('observed counter');
export const gauge = metric('observed gauge');
export const sum = metric('observed sum');

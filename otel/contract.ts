// What one row of the contract says (`names.ts`).

/** One attribute: a line on what it is. */
export interface AttributeContract {
  readonly is: string;
}

/** One span. */
export interface SpanContract<Attribute extends string = string> {
  /** With `{an.attribute}` where the value of that attribute stands. */
  readonly name: string;
  readonly kind: 'internal' | 'client';
  /** One line: when it appears. */
  readonly when: string;
  /** Attributes of every such span, and those of some. */
  readonly always: readonly Attribute[];
  readonly sometimes: readonly Attribute[];
  readonly events: readonly string[];
  readonly links: boolean;
}

// How fast something grows: a straight line through what was measured, by least squares, and how sure that line is.
//
//   P1. What is measured a second after another is hardly another measurement: the line is drawn through the means of
//       a few stretches of equal length, so that the interval tells of the trend and not of the number of looks.
//   P2. What comes and goes with the work in hand is seen by the least of each stretch instead: load moves the mean, and
//       only what is never given back moves the least.

export interface Point {
  /** Milliseconds from any fixed moment. */
  readonly atMs: number;
  readonly value: number;
}

export interface Slope {
  readonly perHour: number;
  /** Half of the interval that holds the true slope in 95 of 100 such measurements; infinite for fewer than three stretches. */
  readonly plusMinus: number;
  readonly first: number;
  readonly last: number;
  readonly least: number;
  readonly most: number;
}

const hourMs = 3_600_000;
const stretchesMax = 12;

export type Through = 'mean' | 'least';

/** @returns null for fewer than two moments */
export function slopeOf(points: readonly Point[], through: Through = 'mean'): Slope | null {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || last.atMs <= first.atMs) return null;
  const values = points.map(({ value }) => value);
  const line = leastSquares(stretches(points, through, first.atMs, last.atMs));
  return {
    perHour: line.slope * hourMs,
    plusMinus: line.error * hourMs,
    first: first.value,
    last: last.value,
    least: Math.min(...values),
    most: Math.max(...values),
  };
}

function stretches(points: readonly Point[], through: Through, fromMs: number, toMs: number): readonly Point[] {
  const count = Math.min(stretchesMax, points.length);
  const inOrder = Map.groupBy(points, ({ atMs }) =>
    Math.min(count - 1, Math.floor(((atMs - fromMs) / (toMs - fromMs)) * count)),
  );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return [...inOrder.values()].map((stretch) => {
    const values = stretch.map(({ value }) => value);
    return {
      atMs: mean(stretch.map(({ atMs }) => atMs)),
      value: through === 'mean' ? mean(values) : Math.min(...values),
    };
  });
}

/** @returns slope and half its interval, per millisecond */
function leastSquares(points: readonly Point[]): { readonly slope: number; readonly error: number } {
  const n = points.length;
  const middleMs = points.reduce((sum, { atMs }) => sum + atMs, 0) / n;
  const mean = points.reduce((sum, { value }) => sum + value, 0) / n;
  const spread = points.reduce((sum, { atMs }) => sum + (atMs - middleMs) ** 2, 0);
  if (spread === 0) return { slope: 0, error: Number.POSITIVE_INFINITY };
  const slope = points.reduce((sum, { atMs, value }) => sum + (atMs - middleMs) * (value - mean), 0) / spread;
  if (n < 3) return { slope, error: Number.POSITIVE_INFINITY };
  const rest = points.reduce((sum, { atMs, value }) => sum + (value - mean - slope * (atMs - middleMs)) ** 2, 0);
  return { slope, error: studentOf(n - 2) * Math.sqrt(rest / (n - 2) / spread) };
}

/** Student's t, two-sided, 95 %: the table, and for more degrees of freedom the next smaller entry, which is the safer. */
function studentOf(freedom: number): number {
  const table = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];
  return table[freedom - 1] ?? 2.23;
}

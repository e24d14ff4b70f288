// What somebody asks of a soak.

import { parseArgs } from 'node:util';
import { NotReadable, parseDuration } from '../../src/duration.ts';

export const usage = `npm run soak -- [options]

  --for TIME       how long it is measured, the warm-up included (1h)
  --warm-up TIME   what is left out of the slopes (a sixth of the time, 10m at most)
  --fabrics N      small ones behind one port; a few of other kinds come beside them (100)
  --interval S     between two syncs of each, in seconds (10)
  --seed N         of what happens around them (1)
  --otlp           what the daemon tells is exported to a collector that is not there
  --set NAME=VALUE a setting of the daemon; repeatable
  --json FILE      writes everything there as JSON, each minute
  --quick          20 fabrics, an interval of 2 s, for 20 s: shows that it works, and judges no slope
  --help
`;

export interface Order {
  readonly forMs: number;
  readonly warmUpMs: number;
  readonly fabrics: number;
  readonly intervalSeconds: number;
  readonly seed: number;
  /** Beside what is its own, in the daemon's environment. */
  readonly settings: Readonly<Record<string, string>>;
  readonly json: string | null;
  readonly quick: boolean;
}

/** A port on which nobody listens: exports are refused at once. */
const absentCollector = 'http://127.0.0.1:9';
const warmUpMsMax = 600_000;

/**
 * @returns null where help is asked for
 * @throws NotReadable, or the parser's own TypeError
 */
export function readOrder(args: readonly string[]): Order | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      for: { type: 'string' },
      'warm-up': { type: 'string' },
      fabrics: { type: 'string' },
      interval: { type: 'string' },
      seed: { type: 'string', default: '1' },
      otlp: { type: 'boolean', default: false },
      set: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const { quick } = values;
  const forMs = parseDuration(values.for ?? (quick ? '20s' : '1h'));
  return {
    forMs,
    warmUpMs: values['warm-up'] ? parseDuration(values['warm-up']) : Math.min(warmUpMsMax, Math.round(forMs / 6)),
    fabrics: whole(values.fabrics ?? (quick ? '20' : '100'), '--fabrics'),
    intervalSeconds: whole(values.interval ?? (quick ? '2' : '10'), '--interval'),
    seed: whole(values.seed, '--seed'),
    settings: {
      ...(values.otlp && { OTEL_EXPORTER_OTLP_ENDPOINT: absentCollector }),
      ...Object.fromEntries(values.set.map(assignment)),
    },
    json: values.json ?? null,
    quick,
  };
}

function whole(text: string, option: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new NotReadable(`${option}: "${text.slice(0, 40)}" is not a whole number above 0`);
  return Number(text);
}

function assignment(text: string): readonly [string, string] {
  const [, name, value] = /^([A-Z_]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new NotReadable(`--set: "${text.slice(0, 40)}" is not NAME=VALUE`);
  return [name, value];
}

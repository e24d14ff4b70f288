// What somebody asks of chaos.

import { parseArgs } from 'node:util';
import { NotReadable, parseDuration } from '../../src/duration.ts';

export const usage = `npm run chaos -- [options]

  --for TIME       how long faults are injected (5m)
  --seed N         which faults, in which order and for how long (by the clock, and told)
  --daemons N      that share the work: 1 to 5 (3)
  --fabrics N      (8)
  --interval S     between two syncs of a fabric, in seconds (1)
  --lock-nodes     three more Redis nodes, for the lock alone
  --recovery       the named scenarios instead: the daemon with its own defaults, and how soon it is well again
  --only NAME      one of these scenarios; repeatable
  --keep-logs DIR  the daemons' logs are copied there
  --json FILE      writes the figures there as JSON
  --help
`;

export interface Order {
  readonly forMs: number;
  readonly seed: number;
  readonly daemons: number;
  readonly fabrics: number;
  readonly intervalSeconds: number;
  readonly lockNodes: boolean;
  readonly recovery: boolean;
  readonly only: readonly string[];
  readonly keepLogs: string | null;
  readonly json: string | null;
}

/**
 * @param seed where none is given
 * @returns null where help is asked for
 * @throws NotReadable, or the parser's own TypeError
 */
export function readOrder(args: readonly string[], seed: number): Order | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      for: { type: 'string', default: '5m' },
      seed: { type: 'string', default: String(seed) },
      daemons: { type: 'string', default: '3' },
      fabrics: { type: 'string', default: '8' },
      interval: { type: 'string', default: '1' },
      'lock-nodes': { type: 'boolean', default: false },
      recovery: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      'keep-logs': { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  return {
    forMs: parseDuration(values.for),
    seed: whole(values.seed, '--seed', 4_294_967_295),
    daemons: whole(values.daemons, '--daemons', 5),
    fabrics: whole(values.fabrics, '--fabrics', 100),
    intervalSeconds: whole(values.interval, '--interval', 3_600),
    lockNodes: values['lock-nodes'],
    recovery: values.recovery,
    only: values.only,
    keepLogs: values['keep-logs'] ?? null,
    json: values.json ?? null,
  };
}

function whole(text: string, option: string, most: number): number {
  const value = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most))
    throw new NotReadable(`${option}: "${text.slice(0, 40)}" is not a whole number from 1 to ${most}`);
  return value;
}

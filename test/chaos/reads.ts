// Whether what the fabrics saw fits what Postgres says was run. The fabrics' own request logs are the evidence: each daemon
// has a token of its own, so a request says who made it.
//
//   D1. Each request belongs to a run of its daemon: it came between the claim and the end of that run.
//   D2. While one daemon reads a fabric, no other begins to ask it anything.
//   D3. A run that committed has requests to show: as many as it counted, and a list of each kind that it says it read.
//   D4. Excused is what no lease can forbid: what a process that stood still says in the moment when it goes on; and what a
//       run that was cut off from outside (unlock, remove, a dump restored) asks until it hears of it at its next renewal.

import { formatIso } from '../../src/clock.ts';

export interface Asked {
  readonly fabric: string;
  /** Who asked; null: with a token that is nobody's. */
  readonly client: string | null;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Of the list that was asked for; null for anything else. */
  readonly kind: string | null;
  readonly url: string;
}

export interface Held {
  readonly fabric: string;
  readonly runId: string;
  readonly daemon: string;
  /** Epoch milliseconds, as Postgres saw them; null while it goes on. */
  readonly fromMs: number;
  readonly toMs: number | null;
  /** Cut off by somebody else, while its daemon could not know. */
  readonly isFenced: boolean;
  /** What it says that it did; null where it did not commit. */
  readonly claims: { readonly requests: number; readonly kinds: readonly string[] } | null;
}

/** A process that was kept from going on, from outside. */
export interface Stood {
  readonly daemon: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ReadsEvidence {
  readonly asked: readonly Asked[];
  readonly held: readonly Held[];
  readonly stood: readonly Stood[];
  /** How long a run that was fenced off may go on before it hears of it. */
  readonly hearsWithinMs: number;
  /** How much later than it was sent a request may be read, on a busy machine. */
  readonly wireMs: number;
}

/** Two clocks of one machine, one in whole milliseconds. */
const roundingMs = 2;

/** Everything that does not fit, a line each. */
export function readFaults(evidence: ReadsEvidence): readonly string[] {
  const byFabric = Map.groupBy(evidence.asked, ({ fabric }) => fabric);
  const heldBy = Map.groupBy(evidence.held, ({ fabric }) => fabric);
  const names = new Set([...byFabric.keys(), ...heldBy.keys()]);
  return [...names].flatMap((name) => {
    const asked = (byFabric.get(name) ?? []).toSorted((one, other) => one.atMs - other.atMs);
    const held = (heldBy.get(name) ?? []).toSorted((one, other) => one.fromMs - other.fromMs);
    const placed = asked.map((one) => ({ ...one, run: runOf(one, held) }));
    return [...strays(placed, evidence), ...together(placed, evidence), ...unshown(placed, held)];
  });
}

type Placed = Asked & { readonly run: Held | null };

/** The latest that its daemon had begun. */
function runOf({ client, atMs }: Asked, held: readonly Held[]): Held | null {
  return held.findLast(({ daemon, fromMs }) => daemon === client && fromMs <= atMs + roundingMs) ?? null;
}

/** D1 */
function strays(placed: readonly Placed[], { stood, hearsWithinMs, wireMs }: ReadsEvidence): readonly string[] {
  return placed.flatMap((asked) => {
    const { run } = asked;
    if (run === null) return [`${inWords(asked)}, in no run of it`];
    const endMs = run.toMs === null ? Number.POSITIVE_INFINITY : run.toMs + (run.isFenced ? hearsWithinMs : 0);
    if (asked.atMs <= endMs + wireMs || wasStill(asked, stood, wireMs)) return [];
    return [`${inWords(asked)}, ${Math.round(asked.atMs - (run.toMs ?? 0))} ms after the end of its run ${run.runId}`];
  });
}

/** D2: what one asks between the first and the last request of another's run. */
function together(placed: readonly Placed[], { stood, hearsWithinMs, wireMs }: ReadsEvidence): readonly string[] {
  const readings = new Map<Held, { firstMs: number; lastMs: number }>();
  for (const { run, atMs } of placed) {
    if (!run) continue;
    const reading = readings.get(run);
    if (reading) reading.lastMs = atMs;
    else readings.set(run, { firstMs: atMs, lastMs: atMs });
  }
  const inOrder = [...readings].sort(([, one], [, other]) => one.firstMs - other.firstMs);
  return placed.flatMap((asked) => {
    const { run, atMs } = asked;
    if (run === null || wasStill(asked, stood, wireMs)) return [];
    if (run.isFenced && atMs <= (run.toMs ?? 0) + hearsWithinMs) return [];
    const [other] =
      inOrder.find(
        ([{ daemon, fromMs }, { firstMs, lastMs }]) =>
          daemon !== run.daemon && fromMs > run.fromMs && firstMs < atMs && atMs <= lastMs,
      ) ?? [];
    return other ? [`${inWords(asked)}, while ${other.daemon} was reading it in run ${other.runId}`] : [];
  });
}

/** D3 */
function unshown(placed: readonly Placed[], held: readonly Held[]): readonly string[] {
  const shown = Map.groupBy(placed, ({ run }) => run);
  return held.flatMap((run) => {
    if (run.claims === null) return [];
    const asked = shown.get(run) ?? [];
    const { requests, kinds } = run.claims;
    const what = `run ${run.runId} of ${run.fabric} by ${run.daemon}`;
    if (requests === 0) return [`${what} says that it read everything, with no request`];
    if (asked.length < requests) return [`${what} counts ${requests} requests, and the fabric saw ${asked.length}`];
    const listed = new Set(asked.map(({ kind }) => kind));
    const unlisted = kinds.map((label) => label.split('.')[0] ?? label).filter((kind) => !listed.has(kind));
    return unlisted.length > 0 ? [`${what} says that it listed ${unlisted.join(', ')}, which nobody asked for`] : [];
  });
}

function wasStill({ client, atMs }: Asked, stood: readonly Stood[], afterMs: number): boolean {
  return stood.some(({ daemon, fromMs, toMs }) => daemon === client && fromMs <= atMs && atMs <= toMs + afterMs);
}

function inWords({ fabric, client, atMs, url }: Asked): string {
  return `${client ?? 'nobody we know'} asked ${fabric} for ${url.slice(0, 120)} at ${formatIso(atMs)}`;
}

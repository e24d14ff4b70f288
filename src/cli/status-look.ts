// One look at everything, or at one fabric: what `status` prints, as lines and as a document.

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { formatIso } from '../clock.ts';
import { readStatus, type ViewSources } from '../inspector/read.ts';
import { type FabricView, runView, type StatusView } from '../inspector/view.ts';
import type { Operator } from '../ports/operator.ts';
import { CliFailure } from './cli-failure.ts';
import { namedFabric } from './named-fabric.ts';
import { type Detail, detailText } from './status-detail.ts';
import { statusText, type TextOptions } from './status-text.ts';
import type { World } from './world.ts';

export interface Look {
  readonly view: StatusView;
  readonly lines: (options: TextOptions) => string[];
  readonly document: object;
}

export interface LookSources extends Omit<ViewSources, 'operator' | 'clock'> {
  readonly operator: Operator;
}

const runsShown = 10;

export async function look(
  named: string | undefined,
  { world, signal }: { world: World; signal: AbortSignal },
  servers: LookSources,
): Promise<Look> {
  const { operator, readTimers, daemon } = servers;
  const sources = { operator, readTimers, daemon, clock: world.clock };
  if (named === undefined) {
    const view = await readStatus(sources, undefined, signal);
    return { view, lines: (options) => statusText(view, options), document: view };
  }
  const { view, fabric, detail } = await lookAt(named, sources, signal);
  const { row, runs, quarantine } = detail;
  return {
    view,
    lines: (options) => detailText(view, fabric, detail, options),
    document: {
      ...view,
      counts: row?.counts ?? null,
      runs,
      quarantine: quarantine.map(({ sinceMs, ...one }) => ({ ...one, since: formatIso(sinceMs) })),
    },
  };
}

async function lookAt(
  named: string,
  sources: ViewSources & { operator: Operator },
  signal: AbortSignal,
): Promise<{ view: StatusView; fabric: FabricView; detail: Detail }> {
  const { operator } = sources;
  try {
    const { fabricId, name } = await namedFabric(operator, named);
    const [view, runs, quarantine, { fabrics }] = await Promise.all([
      readStatus(sources, fabricId, signal),
      operator.runs(fabricId, runsShown),
      operator.quarantine(fabricId),
      operator.status(fabricId),
    ]);
    const [fabric] = view.fabrics;
    if (!fabric) throw new CliFailure('not_found', 'NO_SUCH_FABRIC', `the fabric "${name}" was removed just now`);
    return {
      view,
      fabric,
      detail: { row: fabrics[0] ?? null, runs: runs.map((run) => runView(run, name)), quarantine },
    };
  } catch (thrown) {
    if (!(thrown instanceof FabricFailure) || thrown.code !== 'DATABASE_UNAVAILABLE') throw thrown;
    // The daemon may still know its state.
    const view = await readStatus(sources, undefined, signal);
    const fabric = view.fabrics.find((one) => one.name === named || one.id === named);
    if (!fabric) throw thrown;
    return { view: { ...view, fabrics: [fabric] }, fabric, detail: { row: null, runs: [], quarantine: [] } };
  }
}

import { Option } from 'commander';
import { formatIso } from '../clock.ts';
import { shellWord } from '../inspector/hints.ts';
import type { Operator, ResourceRow, RunRow } from '../ports/operator.ts';
import { rebuild } from '../sync/clean.ts';
import { CliFailure } from './cli-failure.ts';
import { manifestsText } from './manifests.ts';
import { parseMoment } from './moment.ts';
import { namedFabric } from './named-fabric.ts';
import { withServers } from './servers.ts';
import { wholeSpan } from './span.ts';
import { short } from './status-text.ts';
import { verb } from './verb.ts';

interface Options {
  readonly kind?: string;
  readonly at?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

export const resourcesVerb = verb<[fabric: string], Options>({
  path: ['resources'],
  summary: 'what is in a fabric, now or then',
  details:
    'As yaml and json the objects are exactly what the fabric serves, less managedFields and the last-applied annotation, ' +
    'as a List that kubectl reads. With --at they are what the inventory held when a run had committed, or at a time; ' +
    'how far back that goes is set by FABRIC_SYNCD_HISTORY_KEEP.',
  examples: [
    'fabric-syncd resources lab',
    'fabric-syncd resources lab --kind switches -o yaml > switches.yaml',
    'fabric-syncd resources lab --at 2h',
    'fabric-syncd resources lab --at 1042 -o json',
  ],
  define(command) {
    command
      .argument('<fabric>', 'name or number')
      .option('--kind <kind>', 'only this kind, such as Switch or switches')
      .option(
        '--at <when>',
        'the number of a run, a length of time ago such as 2h, or a time such as 2026-01-31T12:00Z',
      )
      .addOption(
        new Option('-o, --output <form>', 'how to print it').choices(['table', 'json', 'yaml']).default('table'),
      );
  },
  async run({ world, args: [fabric], options, out, signal }) {
    return withServers({ world, signal }, async ({ operator }) => {
      const { fabricId, name } = await namedFabric(operator, fabric);
      const at =
        options.at === undefined ? null : await runAt(operator, { fabricId, name }, options.at, world.clock.nowMs());
      const whole = out.json || options.output !== 'table';
      const rows = await operator.resources({
        fabricId,
        kind: options.kind ?? null,
        atRun: at?.runId ?? null,
        bodies: whole,
      });
      if (whole) {
        const objects = rows.flatMap(manifest);
        out.document({ fabric: name, id: fabricId, at: at && { run: at.runId, time: finished(at) }, items: objects });
        // Into a pipe as well: this is what was asked for, not a remark beside it.
        if (!out.json) out.text(manifestsText(objects, options.output === 'json' ? 'json' : 'yaml'));
        return 'done';
      }
      if (at) out.say(`${name} as run ${at.runId} left it at ${short(finished(at))}:`);
      if (rows.length === 0) {
        out.note(nothing(name, options.kind));
        return 'done';
      }
      const nowMs = at?.finishedMs ?? world.clock.nowMs();
      const age = (time: string | null) => (time === null ? null : wholeSpan(Math.max(0, nowMs - Date.parse(time))));
      out.table(
        [
          { title: 'KIND', widthMin: 8 },
          { title: 'NAMESPACE', widthMin: 7 },
          { title: 'NAME', widthMin: 10 },
          { title: 'AGE', align: 'right' },
          { title: 'CHANGED', align: 'right' },
          { title: 'BY RUN', align: 'right' },
        ],
        rows.map((row) => [
          row.kind,
          row.namespace,
          row.name,
          age(row.creationTimestamp),
          row.changedMs === null ? null : wholeSpan(Math.max(0, nowMs - row.changedMs)),
          row.changedRun,
        ]),
      );
      return 'done';
    });
  },
});

/** The run whose inventory is meant. */
async function runAt(
  operator: Operator,
  { fabricId, name }: { fabricId: string; name: string },
  at: string,
  nowMs: number,
): Promise<RunRow> {
  if (/^[0-9]{1,18}$/.test(at)) {
    const run = await operator.run(at);
    if (run?.fabricId === fabricId) return run;
    throw new CliFailure('not_found', 'NO_SUCH_RUN', `${name} has no run ${at}`, {
      hint: `Its runs: fabric-syncd history ${shellWord(name)}.`,
    });
  }
  const found = await operator.asOf(fabricId, parseMoment(at, nowMs, -1));
  if (found.kind === 'run') return found.run;
  const { oldestKeptMs } = found;
  throw new CliFailure('not_found', 'NOT_KNOWN_THEN', `what was in ${name} then is not known`, {
    hint: oldestKeptMs === null ? 'It has not been synced yet.' : `Its history begins at ${formatIso(oldestKeptMs)}.`,
  });
}

function finished(run: RunRow): string {
  return formatIso(run.finishedMs ?? run.startedMs);
}

function manifest(row: ResourceRow): object[] {
  return row.body ? [rebuild({ ...row, ...row.body })] : [];
}

function nothing(name: string, kind: string | undefined): string {
  if (kind === undefined) return `Nothing is stored of ${name}. How it stands: fabric-syncd status ${shellWord(name)}`;
  return `Nothing of kind "${kind}" is stored of ${name}. All kinds: fabric-syncd status ${shellWord(name)}`;
}

import { manualAllowed, plan } from '../../machines/fabric/plan.ts';
import { idleHint, shellWord } from '../inspector/hints.ts';
import type { Approval } from '../ports/store.ts';
import { askYes } from './ask.ts';
import { CliFailure } from './cli-failure.ts';
import { objectText } from './diff-text.ts';
import type { Exit } from './exit-codes.ts';
import { namedRow } from './named-fabric.ts';
import { plain } from './plain-text.ts';
import { withServers } from './servers.ts';
import { traced } from './traced.ts';
import { type Call, verb } from './verb.ts';
import { whoAsks } from './world.ts';

interface Options {
  readonly yes?: true;
}

const namesMax = 20;

export const approveVerb = verb<[fabric: string], Options>({
  path: ['approve'],
  summary: 'let a fabric do what it waits for a person to allow',
  details:
    'A run that would delete much of the inventory, or that finds another cluster behind the address, waits. This shows ' +
    'what it waits for, asks, and makes the next sync do it. What is approved is what was shown, and no more.',
  examples: ['fabric-syncd approve lab', 'fabric-syncd approve lab --yes'],
  define(command) {
    command.argument('<fabric>', 'name or number').option('--yes', 'do not ask');
  },
  run: (call) =>
    traced(
      call.world,
      'approve',
      (line) => call.out.note(line),
      ({ traceparent }) => approve(call, traceparent),
    ),
});

async function approve(
  { world, args: [fabric], options, out, signal }: Call<[fabric: string], Options>,
  traceparent: string | null,
): Promise<Exit> {
  return withServers({ world, signal }, async ({ operator }) => {
    const { row, nowMs } = await namedRow(operator, fabric);
    const { fabricId, name, approval, approvedBy } = row;
    if (!approval) {
      throw new CliFailure('refused', 'NOTHING_WAITS', `nothing of ${name} waits for approval`, {
        hint: `See how it stands: fabric-syncd status ${shellWord(name)}.`,
      });
    }
    const names = approval.kind === 'deletions' ? await operator.resourceNames(approval.resources, namesMax) : [];
    for (const line of approvalLines(name, approval)) out.say(plain(line));
    for (const one of names) out.say(`  - ${plain(objectText(one))}`);
    if (approval.kind === 'deletions' && approval.resources.length > names.length) {
      out.say(`  … and ${approval.resources.length - names.length} more`);
    }
    if (approvedBy !== null) out.say(`It was approved by ${plain(approvedBy)}; the next sync does it.`);
    if (!options.yes && !(await askYes(world, 'Approve it?', signal))) {
      throw new CliFailure('refused', 'NOT_CONFIRMED', 'nothing was approved', {
        hint: 'Answer yes, or give --yes where there is no terminal.',
      });
    }
    const planned = plan(row, nowMs);
    const ask = planned.state !== 'idle' || manualAllowed[planned.reason];
    const answer = await operator.approve(fabricId, { runId: approval.runId, by: whoAsks(world), ask, traceparent });
    if (answer.kind === 'changed') {
      throw new CliFailure(
        'refused',
        'CHANGED_MEANWHILE',
        `what ${name} waits for has changed meanwhile; nothing was approved`,
        {
          hint: `Look at it again: fabric-syncd approve ${shellWord(name)}.`,
        },
      );
    }
    out.document({
      fabric: name,
      id: fabricId,
      approved: approval.kind,
      run: approval.runId,
      deletions: approval.kind === 'deletions' ? approval.deletions : {},
      request: answer.requestId,
    });
    out.say(ask ? `Approved; ${name} is synced now.` : `Approved; it is done by the next sync.`);
    if (planned.state === 'idle' && !ask) out.note(idleHint(planned.reason, name));
    else out.note(`See what comes of it: fabric-syncd status ${shellWord(name)}`);
    return 'done';
  });
}

function approvalLines(name: string, approval: Approval): string[] {
  switch (approval.kind) {
    case 'deletions': {
      const total = Object.values(approval.deletions).reduce((sum, count) => sum + count, 0);
      const kinds = Object.entries(approval.deletions).map(([kind, count]) => `${count} ${kind}`);
      return [
        `${name} would delete ${total} of ${approval.of} objects (${kinds.join(', ')}), which are not in the fabric any more:`,
      ];
    }
    case 'cluster':
      return [
        `Another cluster answers at the address of ${name}:`,
        `  it was ${approval.pinned}, and it is ${approval.found}.`,
        'Once approved, the inventory follows the new one; what is not in it will have to be approved as deletions.',
      ];
  }
}

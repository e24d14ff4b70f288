import { CliFailure, usageFailure } from './cli-failure.ts';
import { configured } from './configured.ts';
import type { Exit } from './exit-codes.ts';
import { Refused } from './inspect/feed.ts';
import { inspectLive } from './inspect/live.ts';
import { inspectTold } from './inspect/told.ts';
import { printLink } from './inspect-link.ts';
import { type Call, verb } from './verb.ts';

type InspectCall = Call<[fabric?: string], { link?: true }>;

export const inspectVerb = verb<[fabric?: string], { link?: true }>({
  path: ['inspect'],
  summary: 'every fabric’s state machine, live in this terminal; or a link to log in to the page',
  details:
    'Shows what the daemon on this host does as it does it: the fleet, and each fabric with its statechart, what happened ' +
    'and its runs. Into a pipe it writes a line a transition, and with --json one object a line ({"event", "data"}, ' +
    'beginning with a snapshot) until it is stopped. --link prints a link that opens the page once: the daemon must serve ' +
    'it (FABRIC_SYNCD_INSPECTOR) and run with --control.',
  examples: [
    'fabric-syncd inspect',
    'fabric-syncd inspect lab',
    'fabric-syncd inspect --json | jq -r .event',
    'fabric-syncd inspect --link',
  ],
  define(command) {
    command.argument('[fabric]', 'name or number').option('--link', 'print a link to log in to the page by');
  },
  async run(call) {
    const { adminSocket } = configured(call.world);
    const [fabric] = call.args;
    if (!call.options.link) return inspect(call, adminSocket, fabric);
    if (fabric !== undefined) throw usageFailure('--link is for the page, which has every fabric');
    return printLink(call, adminSocket);
  },
});

const exits: Readonly<Record<string, Exit>> = { DATABASE_UNAVAILABLE: 'database_unavailable' };

async function inspect(call: InspectCall, adminSocket: string, fabric: string | undefined): Promise<Exit> {
  const { isTerminal } = call.world;
  try {
    return isTerminal.stdin && isTerminal.stdout && !call.out.json
      ? await inspectLive(call, adminSocket, fabric)
      : await inspectTold(call, adminSocket, fabric);
  } catch (thrown) {
    if (call.signal.aborted) throw thrown;
    if (thrown instanceof Refused) {
      const exit = thrown.code.startsWith('NO_SUCH') ? 'not_found' : (exits[thrown.code] ?? 'refused');
      throw new CliFailure(exit, thrown.code, thrown.message, { hint: thrown.hint });
    }
    throw new CliFailure('failed', 'NO_DAEMON', `no daemon answers on ${adminSocket}`, {
      hint: 'Start it: fabric-syncd run; or see what the database says: fabric-syncd status --watch.',
      cause: thrown,
    });
  }
}

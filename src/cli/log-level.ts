import { Argument } from 'commander';
import { askDaemon, tellDaemon } from '../admin/client.ts';
import { logLevels } from '../log.ts';
import { type LogLevelView, levelForMsMax } from '../log-level.ts';
import { duration } from './arguments.ts';
import { CliFailure, usageFailure } from './cli-failure.ts';
import { configured } from './configured.ts';
import { verb } from './verb.ts';
import { whoAsks } from './world.ts';

export const logLevelVerb = verb<[level?: string], { for?: number }>({
  path: ['log-level'],
  summary: 'how much the daemon on this host logs; change it while it runs',
  details:
    'Without a level it says which one there is. What is set ends after --for, and with a reload or a restart: then it is ' +
    'as FABRIC_SYNCD_LOG_LEVEL says.',
  examples: ['fabric-syncd log-level', 'fabric-syncd log-level debug --for 10m'],
  define(command) {
    command
      .addArgument(new Argument('[level]', 'this much, from now on').choices(logLevels))
      .option('--for <duration>', 'how long; without it until a reload', duration);
  },
  async run({ world, args: [level], options, out, signal }) {
    if (level === undefined && options.for !== undefined) throw usageFailure('--for wants a level');
    if (options.for !== undefined && (options.for < 1 || options.for > levelForMsMax)) {
      throw usageFailure('--for must be longer than 0 and at most 7d');
    }
    const { adminSocket } = configured(world);
    const answer =
      level === undefined
        ? await askDaemon(adminSocket, '/v1/log-level', signal)
        : await tellDaemon(
            adminSocket,
            '/v1/log-level',
            { level, for_ms: options.for ?? null, by: whoAsks(world) },
            signal,
          );
    if (!isView(answer)) {
      throw new CliFailure('failed', 'NO_DAEMON', `no daemon answers on ${adminSocket}`, {
        hint: 'Is it running, on this host, and may you open its socket?',
      });
    }
    out.document(answer);
    const until = answer.until === null ? '' : ` until ${answer.until}`;
    const back = answer.level === answer.configured ? '' : ` (configured: ${answer.configured})`;
    out.say(`The log level is ${answer.level}${until}${back}.`);
    return 'done';
  },
});

function isView(answer: unknown): answer is LogLevelView {
  return typeof answer === 'object' && answer !== null && 'level' in answer && 'configured' in answer;
}

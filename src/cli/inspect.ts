import { usageFailure } from './cli-failure.ts';
import { configured } from './configured.ts';
import { printLink } from './inspect-link.ts';
import { verb } from './verb.ts';

export const inspectVerb = verb<[], { link?: true }>({
  path: ['inspect'],
  summary: 'log in to the inspector’s page',
  details:
    'Prints a link that opens once. The daemon must serve the page (FABRIC_SYNCD_INSPECTOR) and run with --control.',
  examples: ['fabric-syncd inspect --link'],
  define(command) {
    command.option('--link', 'print a link to log in by');
  },
  async run(call) {
    if (!call.options.link)
      throw usageFailure('say what is wanted', 'A link to log in by: fabric-syncd inspect --link.');
    return printLink(call, configured(call.world).adminSocket);
  },
});

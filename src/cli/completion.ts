import { Argument } from 'commander';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { type Place, placesOf } from './completion/tree.ts';
import { zshScript } from './completion/zsh.ts';
import { verb } from './verb.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<
  string,
  (places: readonly Place[]) => string
>;

type Shell = keyof typeof scripts;

export const completionVerb = verb<[shell: Shell]>({
  path: ['completion'],
  summary: 'print a script that completes commands, options and names of fabrics',
  details: 'Names of fabrics come from the database that the shell’s DATABASE_URL names; without one there are none.',
  examples: [
    'source <(fabric-syncd completion bash)',
    'fabric-syncd completion bash > /etc/bash_completion.d/fabric-syncd',
    'fabric-syncd completion zsh > /usr/local/share/zsh/site-functions/_fabric-syncd',
    'fabric-syncd completion fish > ~/.config/fish/completions/fabric-syncd.fish',
  ],
  define(command) {
    command.addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)));
  },
  async run({ program, args: [shell], out }) {
    const script = scripts[shell](placesOf(program));
    out.text(script);
    out.document({ shell, script });
    return 'done';
  },
});

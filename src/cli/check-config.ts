import { ConfigProblems, describeConfig } from '../config.ts';
import { readSystemdCredential } from '../host-credentials.ts';
import { configured } from './configured.ts';
import { verb } from './verb.ts';

export const checkConfigVerb = verb({
  path: ['check-config'],
  summary: 'every setting, what it came to, and whether it is right',
  details:
    'Reads the environment and systemd’s credentials, as the daemon does, and asks no server. Passwords are masked. ' +
    'Good as ExecStartPre.',
  examples: ['fabric-syncd check-config', 'fabric-syncd check-config --json'],
  async run({ world, out }) {
    let problems: readonly string[] = [];
    try {
      configured(world);
    } catch (thrown) {
      if (!(thrown instanceof ConfigProblems)) throw thrown;
      problems = thrown.problems;
    }
    const settings = describeConfig(world.env, readSystemdCredential);
    out.document({
      ok: problems.length === 0,
      problems,
      settings: settings.map(({ name, value, source }) => ({ name, value, source })),
    });
    out.table(
      [{ title: 'SETTING' }, { title: 'VALUE', widthMin: 16 }, { title: 'FROM' }],
      settings.map(({ name, value, source }) => [
        name,
        value || null,
        source === 'default' ? source : { text: source, colour: 'cyan' },
      ]),
    );
    out.say();
    if (problems.length === 0) out.say('The configuration is right.');
    else out.say(`The configuration has ${problems.length} problem(s):`);
    for (const problem of problems) out.say(`  - ${problem}`);
    return problems.length === 0 ? 'done' : 'settings';
  },
});

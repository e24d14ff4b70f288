// The environment: whatever it holds, every problem is told at once, and no secret with it.

import { describeConfig, readConfig } from '../../../src/config.ts';
import { settings } from '../../../src/settings.ts';
import { refusals, type Target } from '../target.ts';

const names = Object.values(settings).map(({ name }) => name);
const password = 'c4n4ry-p4ssw0rd';

export const environment: Target = {
  name: 'settings',
  about: 'the environment, one NAME=value a line',
  seeds: [
    'DATABASE_URL=postgres://u:p@h/d\nREDIS_URL=none\nFABRIC_SYNCD_LEASE_TTL=30s',
    ...names.map((name, index) => `DATABASE_URL=postgres://h/d\n${name}=${index}`),
    'FABRIC_SYNCD_LEASE_TTL_MS=3',
    'FABRIC_SYNCD_LOCK_REDIS_URLS=redis://a,redis://b,redis://c',
  ],
  async open() {
    return {
      async run(input) {
        const env: Record<string, string> = Object.create(null) as Record<string, string>;
        for (const line of input.toString('utf8').split('\n')) {
          const at = line.indexOf('=');
          if (at > 0) env[line.slice(0, at)] = line.slice(at + 1);
        }
        for (const url of ['DATABASE_URL', 'REDIS_URL']) {
          if (env[url]?.includes(':p@')) env[url] = env[url].replace(':p@', `:${password}@`);
        }
        await refusals(() => {
          try {
            readConfig(env);
          } catch (thrown) {
            if (thrown instanceof Error && thrown.message.includes(password)) throw new Error('the password is told');
            throw thrown;
          }
        });
        await refusals(() => {
          if (JSON.stringify(describeConfig(env)).includes(password)) throw new Error('the password is described');
        });
      },
      async close() {},
    };
  },
};

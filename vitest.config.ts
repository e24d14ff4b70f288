// Three speeds. `quick` needs no server; `servers` talks to a private PostgreSQL and a private Redis, started once;
// `process` knows only the binary, and gives it those same servers.
//
// Nothing is ever run again to make it green: a test that fails now and then is a bug.

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const servers = ['test/servers/**/*.test.ts', 'test/ports/**/*.servers.test.ts'];
const processes = ['test/process/**/*.test.ts'];

/** How long one test or hook may take: a bound for what hangs, far above what works. */
const within = (ms: number) => ({ testTimeout: ms, hookTimeout: ms, teardownTimeout: ms });

export default defineConfig({
  test: {
    retry: 0,
    allowOnly: false,
    // Two also on two cores: most of what servers and daemons do in a test is wait.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: [...servers, ...processes],
          sequence: { groupOrder: 0 },
          ...within(20_000),
        },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: servers,
          globalSetup: 'test/support/servers.global.ts',
          sequence: { groupOrder: 1 },
          ...within(60_000),
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: processes,
          globalSetup: ['test/support/servers.global.ts', 'test/support/chromium.global.ts'],
          sequence: { groupOrder: 2 },
          ...within(120_000),
        },
      },
    ],
  },
});

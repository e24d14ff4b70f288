// For tests of something else: a daemon's log level and metrics, where nobody looks at either.

import { resourceFromAttributes } from '@opentelemetry/resources';
import { type Measuring, startMeasuring } from '../../otel/metrics-start.ts';
import type { ScrapeDeps } from '../../src/admin/scrape-answer.ts';
import { systemClock } from '../../src/clock.ts';
import type { RootLog } from '../../src/log.ts';
import { LogLevels } from '../../src/log-level.ts';

const silent: RootLog = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
  level: 'info',
  alsoTo: () => {},
  flush: async () => {},
};

/** What `AdminServer` needs beside what a test is about. */
export function untold(): { levels: LogLevels; metrics: ScrapeDeps } {
  return {
    levels: new LogLevels(silent, systemClock),
    metrics: { scrape: null, contentType: 'text/plain', clock: systemClock },
  };
}

export function unmeasured(): Measuring {
  return startMeasuring({
    env: { OTEL_SDK_DISABLED: 'true' },
    resource: resourceFromAttributes({}),
    version: '0',
    after: () => () => {},
    warn: () => {},
  });
}

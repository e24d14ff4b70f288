// What is said to be a trace context: of a timer, a row, or the environment of a command. It is one that OpenTelemetry takes,
// or none.

import { isSpanContextValid } from '@opentelemetry/api';
import { readTraceparent, writeTraceparent } from '../../../otel/traceparent.ts';
import type { Target } from '../target.ts';

export const traceparents: Target = {
  name: 'traceparent',
  about: 'W3C trace contexts',
  seeds: [
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00',
    'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-has',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    '00-00000000000000000000000000000000-0000000000000000-01',
    ' 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01\n',
  ],
  async open() {
    return {
      run(input) {
        const context = readTraceparent(input.toString('utf8'));
        if (context === null) return;
        if (!isSpanContextValid(context)) throw new Error('a context that is none');
        const again = writeTraceparent(context);
        if (!/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/.test(again)) throw new Error(`written as ${JSON.stringify(again)}`);
        if (JSON.stringify(readTraceparent(again)) !== JSON.stringify(context))
          throw new Error('written as another one');
      },
      async close() {},
    };
  },
};

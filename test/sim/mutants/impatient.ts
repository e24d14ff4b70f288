// Bugs by which a fabric is asked sooner or more often than its budget allows.

import { FabricFailure } from '../../../machines/fabric/failure.ts';
import type { Mutant } from './mutant.ts';
import { apiWith, storeWith } from './ports-with.ts';

export const impatient: readonly Mutant[] = [
  {
    name: 'no backoff',
    breaks: 'what failed is tried again at once, for ever',
    firstSeed: 6,
    shows: ['h'],
    mutate: (ports, _, process) =>
      storeWith(ports, {
        settle: (request) =>
          ports.store.settle({
            ...request,
            attempts: 0,
            rest: request.rest === 'errored' ? 'backoff' : request.rest,
            due: request.due && { kind: 'retry', dueAtMs: process.clock.nowMs() + 1_000 },
          }),
      }),
  },
  {
    name: 'each retry is due in 10 ms',
    breaks: 'the retries that a failed try has are used up at once',
    firstSeed: 10,
    shows: ['h'],
    mutate: (ports, _, process) =>
      storeWith(ports, {
        settle: ({ due, ...request }) =>
          ports.store.settle({
            ...request,
            due: due?.kind === 'retry' ? { ...due, dueAtMs: process.clock.nowMs() + 10 } : due,
          }),
      }),
  },
  {
    name: 'Retry-After is ignored',
    breaks: 'a server that asks for patience is asked again when it suits us',
    firstSeed: 10,
    shows: ['h'],
    mutate: (ports) => ({
      ...ports,
      way: (_, way) => ({ ...way, failure: (path, answer) => way.failure(path, { ...answer, retryAfter: null }) }),
    }),
  },
  {
    name: 'a page that failed is asked for again at once',
    breaks: 'one run asks a failing server several times for the same',
    firstSeed: 10,
    shows: ['h'],
    mutate: (ports) =>
      apiWith(ports, (api) => ({
        async page(kind, request, signal) {
          for (let left = 2; ; left--) {
            try {
              return await api.page(kind, request, signal);
            } catch (thrown) {
              if (signal.aborted || left === 0 || !(thrown instanceof FabricFailure)) throw thrown;
            }
          }
        },
      })),
  },
];

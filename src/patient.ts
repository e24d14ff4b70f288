// A service that needs a server which may go away while it starts.

import type { Service } from './service.ts';

export interface Patience {
  /** Whether the failed start is worth another one. */
  readonly worthAnother: (cause: unknown) => boolean;
  /** Resolves when it is time for it; rejects where nobody wants it any more. */
  readonly wait: () => Promise<void>;
}

/** The same service, whose start is tried again for as long as that is worth it. What a failed start left is stopped first. */
export function patient(service: Service, { worthAnother, wait }: Patience): Service {
  return {
    name: service.name,
    async start() {
      for (;;) {
        try {
          await service.start();
          return;
        } catch (cause) {
          await service.stop();
          if (!worthAnother(cause)) throw cause;
          await wait();
        }
      }
    },
    stop: () => service.stop(),
  };
}

// Everything long-lived can be started, stopped and awaited (after River's startstop and Oban's supervisors).

export interface Service {
  readonly name: string;
  /** Resolves when it works. Rejects, with nothing left running, when it can not. */
  start(): Promise<void>;
  /** Resolves when nothing of it runs any more. Safe to repeat, and safe before `start`. */
  stop(): Promise<void>;
}

/**
 * Starts services in order; if one fails, those before it are stopped in reverse order and its error is thrown.
 * @returns a function that stops them all in reverse order; every one is stopped even where an earlier stop fails
 */
export async function startAll(services: readonly Service[]): Promise<() => Promise<void>> {
  const running: Service[] = [];
  const stopAll = async () => {
    const failures: unknown[] = [];
    for (const service of running.splice(0).reverse()) {
      try {
        await service.stop();
      } catch (cause) {
        failures.push(new Error(`${service.name} did not stop cleanly`, { cause }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some services did not stop cleanly');
  };
  try {
    for (const service of services) {
      await service.start();
      running.push(service);
    }
  } catch (cause) {
    await stopAll();
    throw cause;
  }
  return stopAll;
}

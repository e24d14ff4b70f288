// Everything long-lived can be started, stopped and awaited (after River's startstop and Oban's supervisors).

export interface Service {
  readonly name: string;
  /** Resolves when it works. Rejects, with nothing left running, when it cannot. */
  start(): Promise<void>;
  /** Resolves when nothing of it runs any more. Safe to repeat, and safe before `start`. */
  stop(): Promise<void>;
}

/** Hears what is not thrown: there is one error to throw, and that is the first. It must not throw. */
export type HearTrouble = (cause: unknown) => void;

/**
 * Starts services in order; if one fails, those before it are stopped in reverse order and its error is thrown.
 * @returns a function that stops them all in reverse order; every one is stopped even where an earlier stop fails
 */
export async function startAll(services: readonly Service[], hear: HearTrouble): Promise<() => Promise<void>> {
  const running: Service[] = [];
  const stopAll = () => {
    const ends = running.splice(0).map((service) => () => stopNamed(service));
    return endAll(ends.reverse(), hear);
  };
  try {
    for (const service of services) {
      await service.start();
      running.push(service);
    }
  } catch (cause) {
    await stopAll().catch(hear);
    throw cause;
  }
  return stopAll;
}

async function stopNamed(service: Service): Promise<void> {
  try {
    await service.stop();
  } catch (cause) {
    throw new Error(`${service.name} did not stop cleanly`, { cause });
  }
}

/** Ends things in order, each one whatever became of those before it. @throws what the first of them threw that failed */
export async function endAll(ends: readonly (() => unknown)[], hear: HearTrouble): Promise<void> {
  let first: { readonly cause: unknown } | null = null;
  for (const end of ends) {
    try {
      await end();
    } catch (cause) {
      if (first) hear(cause);
      else first = { cause };
    }
  }
  if (first) throw first.cause;
}

/**
 * Does the work and then ends things in order, whatever becomes of the work or of each of them.
 * @param ends read when the work is over: what it opens is added to them meanwhile
 * @throws the first error, which is the work's where that failed
 */
export async function endingAll<Result>(
  work: () => Promise<Result>,
  ends: readonly (() => unknown)[],
  hear: HearTrouble,
): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (cause) {
    await endAll(ends, hear).catch(hear);
    throw cause;
  }
  await endAll(ends, hear);
  return result;
}

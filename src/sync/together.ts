// Several things at once that stand or fall together.

type Task<Value> = (signal: AbortSignal) => Promise<Value>;

/**
 * Runs the tasks at once. Where one fails, the signal that the others were given aborts, and all of them are waited for:
 * nothing runs any more when this settles.
 *
 * @returns what each gave, in order
 * @throws what the first one to fail threw
 */
export async function together<const Values extends readonly unknown[]>(
  signal: AbortSignal,
  tasks: { readonly [At in keyof Values]: Task<Values[At]> },
): Promise<Values> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const ended = await Promise.allSettled(
    tasks.map(async (task) => {
      try {
        return await task(either);
      } catch (thrown) {
        // Only the first abort of a signal counts, so the first failure is the one that is told.
        stop.abort(thrown);
        throw thrown;
      }
    }),
  );
  if (stop.signal.aborted) throw stop.signal.reason;
  return ended.map((end) => (end.status === 'fulfilled' ? end.value : undefined)) as unknown as Values;
}

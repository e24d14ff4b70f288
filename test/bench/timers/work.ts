// The work of timers alone: so many of them, each due once an interval, each armed anew when it was served. Nothing is
// done with them. Each contender does it in a process of its own, told what to do over Node's channel to its parent.

export interface TimerWork {
  /** Arms `count` timers, due evenly over the interval that begins at `firstMs` (epoch milliseconds). */
  register(order: { readonly count: number; readonly intervalMs: number; readonly firstMs: number }): Promise<void>;
  /** Serves them, from now on. */
  serve(served: (lateMs: number) => void): Promise<void>;
  close(): Promise<void>;
}

export type Question =
  | { readonly ask: 'register'; readonly count: number; readonly intervalMs: number; readonly firstMs: number }
  | { readonly ask: 'serve' }
  /** How late each was that was served since the last time this was asked, in milliseconds. */
  | { readonly ask: 'late' }
  | { readonly ask: 'close' };

export type Answer = { readonly ms: number; readonly late: readonly number[] } | { readonly failure: string };

/** The child's side. It ends when it is closed, or when its parent is gone. */
export function answerParent(work: TimerWork): void {
  const late: number[] = [];
  const say = (answer: Answer) => process.send?.(answer);
  const carryOut = async (question: Question): Promise<void> => {
    if (question.ask === 'register') await work.register(question);
    if (question.ask === 'serve') await work.serve((lateMs) => late.push(lateMs));
    if (question.ask === 'close') await work.close();
  };
  const answer = async (question: Question): Promise<void> => {
    const beganMs = performance.now();
    try {
      await carryOut(question);
      say({ ms: performance.now() - beganMs, late: question.ask === 'late' ? late.splice(0) : [] });
    } catch (cause) {
      say({ failure: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
    }
  };
  process.on('message', (question: Question) => void answer(question));
  process.once('disconnect', () => process.exit(0));
}

/** When the n-th of `count` is due first. */
export function firstDue(
  n: number,
  { count, intervalMs, firstMs }: { count: number; intervalMs: number; firstMs: number },
): number {
  return firstMs + Math.round((n / count) * intervalMs);
}

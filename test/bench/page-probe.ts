// What is measured inside of the page, by a script that is put into it: how evenly it draws, and when a row was drawn.
//
//   P1. `probe` is sent to the browser as text: it may use nothing of this file but its own lines, and no import.

import type { Page } from 'playwright-core';

/** A fabric's row shows another state than before. */
export interface Drawn {
  readonly fabric: string;
  readonly state: string;
  /** Epoch milliseconds by the browser's clock, after the frame in which it was drawn. */
  readonly atMs: number;
}

export interface Smoothness {
  /** From one frame to the next, milliseconds. */
  readonly framesMs: readonly number[];
  /** What kept the page from answering for 50 ms and more, milliseconds each. */
  readonly longTasksMs: readonly number[];
}

export interface Probe {
  /** Scrolls up and down through the whole page, so many pixels a frame. */
  scroll(forMs: number, pxPerFrame: number): Promise<Smoothness>;
  /** Looks at it as it is. */
  look(forMs: number): Promise<Smoothness>;
  /** What was drawn since it was asked last. */
  drawn(): Promise<readonly Drawn[]>;
}

/** @param page that shows the fleet */
export async function probePage(page: Page): Promise<Probe> {
  await page.evaluate(probe);
  const ask = <Answer>(method: string, ...args: readonly number[]) =>
    page.evaluate<Answer>(`probe.${method}(${args.join(', ')})`);
  return {
    scroll: (forMs, pxPerFrame) => ask<Smoothness>('frames', forMs, pxPerFrame),
    look: (forMs) => ask<Smoothness>('frames', forMs, 0),
    drawn: () => ask<readonly Drawn[]>('drawn'),
  };
}

/** Of a browser, as far as it is used here. */
interface View {
  readonly document: {
    querySelector(selector: string): unknown;
    querySelectorAll(selector: string): Iterable<Row>;
    readonly documentElement: { readonly scrollHeight: number; readonly clientHeight: number };
  };
  readonly scrollY: number;
  scrollTo(x: number, y: number): void;
  requestAnimationFrame(act: (nowMs: number) => void): number;
  readonly MutationObserver: new (act: () => void) => { observe(node: unknown, what: object): void };
  probe?: object;
}

interface Row {
  readonly className: string;
  readonly dataset: { readonly fabric?: string };
}

/** Runs in the page (P1). */
function probe(): void {
  const view = globalThis as unknown as View;
  const longTasks: { startMs: number; ms: number }[] = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ startMs: startTime, ms: duration });
    // Node knows its own types of entries only.
  }).observe({ type: 'longtask' as never });

  /** Of the rows that exist now. */
  let shown = new Map<string, string>();
  let drawn: { fabric: string; state: string; atMs: number }[] = [];
  const unseen: { fabric: string; state: string }[] = [];
  // A message that was posted in a frame arrives after that frame was drawn.
  const { port1, port2 } = new MessageChannel() as unknown as {
    port1: EventTarget & { start(): void };
    port2: { postMessage(message: null): void };
  };
  port1.addEventListener('message', () => {
    const atMs = Date.now();
    drawn.push(...unseen.splice(0).map((row) => ({ ...row, atMs })));
  });
  port1.start();
  new view.MutationObserver(() => {
    const now = new Map<string, string>();
    for (const { className, dataset } of view.document.querySelectorAll('tr.row')) {
      const [fabric, state] = [dataset.fabric ?? '', /row-(\w+)/.exec(className)?.[1] ?? ''];
      now.set(fabric, state);
      const before = shown.get(fabric);
      if (before !== undefined && before !== state) unseen.push({ fabric, state });
    }
    shown = now;
    if (unseen.length > 0) port2.postMessage(null);
  }).observe(view.document.querySelector('main'), { subtree: true, childList: true, attributes: true });

  view.probe = {
    async frames(forMs: number, pxPerFrame: number) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const framesMs: number[] = [];
      const { scrollHeight, clientHeight } = view.document.documentElement;
      // Counted here: to ask the page where it is would make it lay itself out.
      const bottom = scrollHeight - clientHeight;
      let [beganMs, lastMs, step, top] = [0, 0, pxPerFrame, view.scrollY];
      const frame = (nowMs: number) => {
        if (beganMs === 0) beganMs = nowMs;
        else framesMs.push(nowMs - lastMs);
        lastMs = nowMs;
        if (nowMs - beganMs >= forMs) return resolve();
        if (top >= bottom) step = -pxPerFrame;
        else if (top <= 0) step = pxPerFrame;
        top += step;
        if (step !== 0) view.scrollTo(0, top);
        view.requestAnimationFrame(frame);
      };
      view.requestAnimationFrame(frame);
      await promise;
      const within = longTasks.filter(({ startMs }) => startMs >= beganMs && startMs <= lastMs);
      return { framesMs, longTasksMs: within.map(({ ms }) => ms) };
    },
    drawn() {
      const answer = drawn;
      drawn = [];
      return answer;
    },
  };
}

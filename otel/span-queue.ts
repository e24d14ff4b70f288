// Finished spans on their way to an exporter, in batches.
//
//   SQ1. The queue is bounded: where it is full, the newest span is dropped and counted. The SDK's own processor drops
//        without a word past 2,048, and at a shutdown past thirty batches; one burst of a fleet is more than that.
//   SQ2. One batch at a time is with the exporter, and never longer than its deadline. Whoever ends a span never waits.
//   SQ3. `shutdown` sends what is queued, within its deadline; what is left then was dropped, and is counted.

import { context, ROOT_CONTEXT, TraceFlags } from '@opentelemetry/api';
import { ExportResultCode, suppressTracing } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { deliveryFailure } from './delivery-failure.ts';

export interface SpanQueueOptions {
  readonly exporter: SpanExporter;
  /** Spans that may wait. */
  readonly queueMax: number;
  /** Spans in one export. */
  readonly batchMax: number;
  /** How long a span may wait for others to go with, in milliseconds. */
  readonly delayMs: number;
  /** How long one export may take. */
  readonly exportMs: number;
  /** How long the last exports may take together. */
  readonly shutdownMs: number;
  /** An export failed or spans were dropped, after all was well; or all is well again (null). */
  readonly onTrouble: (trouble: string | null) => void;
}

export interface SpanCounts {
  readonly exported: number;
  /** Given to the exporter, which could not deliver them. */
  readonly failed: number;
  /** Never given to it, as the queue was full or the time was over. */
  readonly dropped: number;
  readonly queued: number;
}

export class SpanQueue implements SpanProcessor {
  readonly #options: SpanQueueOptions;
  /** All but the last are full. */
  readonly #batches: ReadableSpan[][] = [];
  #queued = 0;
  /** Spans of the batch that is with the exporter. */
  #inHand = 0;
  #exported = 0;
  #failed = 0;
  #dropped = 0;
  #trouble = false;
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  get counts(): SpanCounts {
    return { exported: this.#exported, failed: this.#failed, dropped: this.#dropped, queued: this.#queued };
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#stopped !== null) {
      this.#dropped++;
      return;
    }
    const { queueMax, batchMax } = this.#options;
    if (this.#queued >= queueMax) {
      this.#dropped++;
      this.#say('spans are dropped: they come faster than they can be delivered');
      return;
    }
    let last = this.#batches.at(-1);
    if (!last || last.length >= batchMax) {
      last = [];
      this.#batches.push(last);
    }
    last.push(span);
    this.#queued++;
    if (this.#queued >= batchMax) this.#send();
    else this.#sendSoon();
  }

  async forceFlush(): Promise<void> {
    while (this.#queued > 0 && this.#stopped === null) {
      this.#send();
      await this.#sending;
    }
    await this.#sending;
  }

  shutdown(): Promise<void> {
    this.#stopped ??= this.#shutdown();
    return this.#stopped;
  }

  async #shutdown(): Promise<void> {
    const { exporter, shutdownMs } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, shutdownMs);
    let isLate = false;
    late.promise.then(() => {
      isLate = true;
    });
    const rest = async () => {
      await this.#sending;
      while (this.#queued > 0 && !isLate) await this.#sendNext();
      await exporter.shutdown();
    };
    try {
      // An exporter that fails to close has nothing left that anybody could save.
      await Promise.race([rest().catch(() => {}), late.promise]);
    } finally {
      clearTimeout(timer);
      this.#cancelTimer();
      this.#failed += this.#inHand;
      this.#dropped += this.#queued;
      this.#inHand = 0;
      this.#queued = 0;
      this.#batches.length = 0;
    }
  }

  #sendSoon(): void {
    if (this.#timer !== null || this.#sending !== null) return;
    // Not in the context of whoever ended a span: a timer keeps hold of that.
    context.with(ROOT_CONTEXT, () => {
      this.#timer = setTimeout(() => this.#send(), this.#options.delayMs);
      this.#timer.unref();
    });
  }

  #send(): void {
    if (this.#sending !== null) return;
    this.#cancelTimer();
    this.#sending = this.#sendNext().then(() => {
      this.#sending = null;
      if (this.#stopped !== null || this.#queued === 0) return;
      if (this.#queued >= this.#options.batchMax) this.#send();
      else this.#sendSoon();
    });
  }

  /** Never rejects. */
  async #sendNext(): Promise<void> {
    const batch = this.#batches.shift();
    if (!batch) return;
    this.#queued -= batch.length;
    this.#inHand = batch.length;
    const failure = await this.#export(batch);
    // Too late: it was given up, and is counted.
    if (this.#inHand === 0) return;
    this.#inHand = 0;
    if (failure === null) {
      this.#exported += batch.length;
      this.#say(null);
    } else {
      this.#failed += batch.length;
      this.#say(failure);
    }
  }

  /** @returns why it failed; null where it did not */
  async #export(batch: ReadableSpan[]): Promise<string | null> {
    const { exporter, exportMs } = this.#options;
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const timer = setTimeout(() => resolve(`the collector did not answer within ${exportMs} ms`), exportMs);
    try {
      context.with(suppressTracing(ROOT_CONTEXT), () => {
        exporter.export(batch, ({ code, error }) => {
          resolve(code === ExportResultCode.SUCCESS ? null : deliveryFailure(error));
        });
      });
    } catch (thrown) {
      resolve(deliveryFailure(thrown));
    }
    const failure = await promise;
    clearTimeout(timer);
    return failure;
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #say(trouble: string | null): void {
    const isTrouble = trouble !== null;
    if (isTrouble === this.#trouble) return;
    this.#trouble = isTrouble;
    this.#options.onTrouble(trouble);
  }
}

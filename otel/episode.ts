// One trace in the making: a run from its timer to its rest, or a planning outside of a run. It opens a span for each stay
// in a state and one for each transition, and says what is a child of what.
//
//   EP1. A state's span lies below the root; so does the transition between two states. What happens inside a state, its
//        inner transitions and whatever its ports do, lies below that state's span.
//   EP2. Every span that was opened is ended, with the root at the latest.

import { type Context, ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { FailureNote } from '../machines/fabric/failure.ts';
import { spans } from './names.ts';
import { startTold, type Told, tell } from './tell.ts';
import { writeTraceparent } from './traceparent.ts';
import { type Transition, top } from './transitions.ts';

export class Episode {
  readonly fabricId: string;
  readonly root: Span;
  readonly traceId: string;
  readonly traceparent: string;
  readonly #tracer: Tracer;
  readonly #rootContext: Context;
  #state: Span | null = null;
  #context: Context;

  constructor(tracer: Tracer, fabricId: string, root: Span) {
    this.#tracer = tracer;
    this.fabricId = fabricId;
    this.root = root;
    const spanContext = root.spanContext();
    this.traceId = spanContext.traceId;
    this.traceparent = writeTraceparent(spanContext);
    this.#rootContext = trace.setSpan(ROOT_CONTEXT, root);
    this.#context = this.#rootContext;
  }

  /** Where what is done now belongs: the state's span. */
  get context(): Context {
    return this.#context;
  }

  /** @param more what else is told of this transition */
  move({ event, from, to, stayedMs, reason }: Omit<Transition, 'context'>, more: Told = {}): void {
    if (!this.root.isRecording()) return;
    const leaves = top(from) !== top(to);
    if (leaves) this.#leave();
    const attributes: Told = {
      'fabric.id': this.fabricId,
      'fabric.transition.event': event,
      'fabric.transition.from': from,
      'fabric.transition.to': to,
      ...(stayedMs !== null && { 'fabric.transition.stayed_ms': Math.round(stayedMs) }),
      ...(reason !== null && { 'fabric.reason': reason }),
      ...more,
    };
    const name = spans.transition.name.replace('{fabric.transition.to}', to);
    startTold(this.#tracer, name, attributes, {}, this.#context).end();
    if (leaves || this.#state === null) this.#enter(top(to));
  }

  /** The fabric is in this state now because of that failure, and only a person can mend it. */
  stateFailed({ code, message }: FailureNote): void {
    if (!this.#state) return;
    tell(this.#state, { 'error.type': code });
    this.#state.setStatus({ code: SpanStatusCode.ERROR, message: `${code}: ${message}` });
  }

  tell(attributes: Told): void {
    tell(this.root, attributes);
  }

  end(): void {
    this.#leave();
    this.root.end();
  }

  #enter(state: string): void {
    const attributes: Told = { 'fabric.id': this.fabricId, 'fabric.state': state };
    const name = spans.state.name.replace('{fabric.state}', state);
    this.#state = startTold(this.#tracer, name, attributes, {}, this.#rootContext);
    this.#context = trace.setSpan(this.#rootContext, this.#state);
  }

  #leave(): void {
    this.#state?.end();
    this.#state = null;
    this.#context = this.#rootContext;
  }
}

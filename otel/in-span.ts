// Work as a span of its own, below whatever is being done: for what lies between the transitions and the wires.
//
//   IN1. A span is opened only below one that is recorded and not ended. So nothing is done where nothing is traced, and
//        what goes on in the background never hangs itself below a run that is over.

import { context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { FabricFailure } from '../machines/fabric/failure.ts';
import type { SpanContract } from './contract.ts';
import { type AttributeName, type SpanKey, spans } from './names.ts';
import { startTold, type Told, tell } from './tell.ts';

const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;

interface Shape {
  readonly kind: SpanKind;
  /** The attributes that its name is made of; null where it is always the same. */
  readonly parts: readonly AttributeName[] | null;
  readonly name: string;
}

/** Read off the contract once: names are made many thousand times a minute. */
const shapes = Object.fromEntries(
  Object.entries<SpanContract<AttributeName>>(spans).map(([key, { name, kind }]): [string, Shape] => {
    const parts = [...name.matchAll(/\{([^}]+)\}/g)].map(([, attribute = '']) => attribute as AttributeName);
    // Nothing but attributes with blanks between them can be joined.
    const isJoined = parts.length > 0 && parts.map((part) => `{${part}}`).join(' ') === name;
    return [key, { kind: kinds[kind], parts: isJoined ? parts : null, name }];
  }),
) as Readonly<Record<SpanKey, Shape>>;

let tracer: Tracer | null = null;

/** Who makes spans from now on; null: nobody. One to a process, as the context is. */
export function traceWith(one: Tracer | null): void {
  tracer = one;
}

/** Whether what is done now is traced. */
export function isTraced(): boolean {
  return tracer !== null && (trace.getActiveSpan()?.isRecording() ?? false);
}

/**
 * Opens a span below the one that is active; null where that is not recorded (IN1).
 * @param attributes asked only where it is opened
 * @param called its name, where that is not made of its attributes alone
 */
export function openSpan(key: SpanKey, attributes: () => Told, called?: () => string): Span | null {
  if (tracer === null) return null;
  const within = context.active();
  if (!trace.getSpan(within)?.isRecording()) return null;
  const told = attributes();
  const shape = shapes[key];
  return startTold(tracer, called?.() ?? nameOf(shape, told), told, { kind: shape.kind }, within);
}

const nameOf = ({ parts, name }: Shape, told: Told): string =>
  parts === null ? name : parts.map((part) => told[part]).join(' ');

/** Does the work below a span of its own. A failure is told by its code. */
export async function inSpan<Answer>(
  key: SpanKey,
  attributes: () => Told,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const span = openSpan(key, attributes);
  if (!span) return await work();
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (thrown) {
    failSpan(span, FabricFailure.from(thrown).code);
    throw thrown;
  } finally {
    span.end();
  }
}

/** @param type a code or a status, never a message of somebody else's: those may quote what they were given */
export function failSpan(span: Span, type: string): void {
  tell(span, { 'error.type': type });
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

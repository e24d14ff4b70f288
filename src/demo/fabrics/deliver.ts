// Faults in how an answer arrives: whole, late, in part, in drops.

import type { ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import type { AnswerDeed } from './faults.ts';

/** Sends the body in the way that the deed tells; without one, at once. */
export function deliver(response: ServerResponse, body: Buffer, deed: AnswerDeed | null, clock: Clock): void {
  const half = body.subarray(0, Math.ceil(body.length / 2));
  switch (deed?.does) {
    case 'slow': {
      const stop = clock.after(deed.ms, () => whole(response, body));
      response.once('close', stop);
      return;
    }
    case 'truncate':
      whole(response, half);
      return;
    case 'reset':
      response.setHeader('content-length', body.length);
      response.write(half, () => response.socket?.destroy());
      return;
    case 'stall':
      response.setHeader('content-length', body.length);
      response.write(half);
      return;
    case 'drip':
      response.setHeader('content-length', body.length);
      drip(response, body, deed.bytesPerSecond, clock);
      return;
    default:
      whole(response, body);
  }
}

function whole(response: ServerResponse, body: Buffer): void {
  response.setHeader('content-length', body.length);
  response.end(body);
}

/** At least one byte at a time, and at most ten times a second. */
function drip(response: ServerResponse, body: Buffer, bytesPerSecond: number, clock: Clock): void {
  const everyMs = Math.max(100, 1000 / bytesPerSecond);
  const drop = Math.max(1, Math.round((bytesPerSecond * everyMs) / 1000));
  let stop = () => {};
  const next = (from: number) => {
    if (from >= body.length) {
      response.end();
      return;
    }
    response.write(body.subarray(from, from + drop));
    stop = clock.after(everyMs, () => next(from + drop));
  };
  response.once('close', () => stop());
  next(0);
}

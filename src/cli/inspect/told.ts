// `inspect` where there is no terminal: a line a transition, or with --json one object a line, for scripts.
//
//   T1. Where no daemon answers at the beginning, that is a failure; one that goes away later is waited for, and then
//       comes a snapshot.
//   T2. A reader that is slow is waited for; what the daemon cannot hold for us meanwhile comes as a snapshot.

import { once } from 'node:events';
import type { RunMessage, TransitionMessage } from '../../inspector/documents.ts';
import { unsyncedText } from '../counts-text.ts';
import type { Exit } from '../exit-codes.ts';
import { plain } from '../plain-text.ts';
import { span } from '../span.ts';
import type { Call } from '../verb.ts';
import { Refused, type StreamEvent, streamEvents } from './feed.ts';

const againMs = 1_000;

/** @throws what is wrong with the first connection */
export async function inspectTold(
  { world, out, signal }: Call,
  socketPath: string,
  fabric: string | undefined,
): Promise<Exit> {
  const write = async (line: string) => {
    if (!world.stdout.write(`${line}\n`)) await once(world.stdout, 'drain', { signal });
  };
  for (let began = false; !signal.aborted; ) {
    let problem = 'The daemon does not answer';
    try {
      for await (const told of streamEvents(socketPath, { fabric: fabric ?? null, clock: world.clock }, signal)) {
        // Nothing may happen for a while: who looks on sees that somebody listens.
        if (!began && told.event === 'snapshot') {
          out.note(`Listening to ${told.data.fabrics.length} fabric(s): a line for each transition.`);
        }
        if (out.json) out.startStream();
        began = true;
        const line = out.json ? JSON.stringify(told) : lineOf(told);
        if (line !== null) await write(line);
      }
    } catch (thrown) {
      if (signal.aborted) break;
      const refused = thrown instanceof Refused;
      // That Postgres is away passes, as a daemon that is away does.
      if (!began || (refused && thrown.code !== 'DATABASE_UNAVAILABLE')) throw thrown;
      if (refused) problem = thrown.message;
    }
    if (!signal.aborted) out.note(`${problem}; waiting for it.`);
    await world.clock.sleep(againMs, signal).catch(() => {});
  }
  return 'done';
}

function lineOf({ event, data }: StreamEvent): string | null {
  switch (event) {
    case 'transition':
      return transitionLine(data);
    case 'run':
      return runLine(data);
    case 'gone':
      return `${plain(data.name)}: removed`;
    default:
      return null;
  }
}

function runLine({ fabric, run, outcome, created, updated, deleted, unsynced }: RunMessage): string {
  return `${plain(fabric)}: run ${run} ${outcome} +${created} ~${updated} -${deleted}${unsyncedText(unsynced)}`;
}

function transitionLine({ at, fabric, label, why, from, to, stayed_ms, late_ms }: TransitionMessage): string {
  const stayed = stayed_ms === null ? '' : ` after ${span(stayed_ms)}`;
  const reason = why ? ` (${plain(why)})` : '';
  const late = late_ms === null ? '' : `, ${span(late_ms)} late`;
  return `${at.slice(11, 23)} ${plain(fabric)}: ${label}${reason}: ${from} → ${to}${stayed}${late}`;
}

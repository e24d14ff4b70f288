// Hearing what others do: one connection that LISTENs, kept alive by us.
//
//   N1. Whoever listens hears of every notice while the connection stands, and `everything` after each time it did not.
//   N2. A connection that died without a word is found out by asking it, every `askEveryMs`; asking is the LISTEN itself,
//       so that a connection which the driver made anew meanwhile listens too.
//   N3. What this daemon's own commits say is not told to it.

import type { Notice } from '../ports/store.ts';
import type { Database } from './connect.ts';

const askEveryMs = 10_000;
const answerWithinMs = 5_000;
const retryMs = 500;

/**
 * @param daemon whose own `changed` notices are dropped
 * @returns stops listening
 * @throws `DATABASE_UNAVAILABLE` where the first LISTEN fails; nothing is left open then
 */
export async function listen(
  database: Database,
  daemon: string,
  hear: (notice: Notice) => void,
): Promise<() => Promise<void>> {
  const { clock } = database;
  let interrupted = false;
  let wake = () => {};
  const stop = new AbortController();

  const pool = database.openPool({
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    fetch_types: false,
    onnotify: (_channel, payload) => {
      const notice = noticeOf(payload, daemon);
      if (notice) hear(notice);
    },
    onclose: () => {
      interrupted = true;
      wake();
    },
  });
  const ask = () => withinDeadline(database, pool, async () => void (await pool.sql`listen fabric_syncd`));

  try {
    await ask();
  } catch (error) {
    await pool.close();
    throw error;
  }
  interrupted = false;

  const keepAsking = async () => {
    let pauseMs = askEveryMs;
    while (!stop.signal.aborted) {
      if (!interrupted) await pause(pauseMs);
      if (stop.signal.aborted) return;
      try {
        const again = interrupted;
        interrupted = false;
        await ask();
        pauseMs = askEveryMs;
        if (again) hear({ what: 'everything' });
      } catch {
        // Not told: the acts that people wait for say it better, and `everything` follows.
        interrupted = true;
        await pauseFor(retryMs);
      }
    }
  };
  const pauseFor = (ms: number) => clock.sleep(ms, stop.signal).catch(() => {});
  const pause = (ms: number) => {
    const early = new AbortController();
    wake = () => early.abort();
    return clock.sleep(ms, AbortSignal.any([stop.signal, early.signal])).catch(() => {});
  };
  const asking = keepAsking();

  return async () => {
    stop.abort();
    await pool.close();
    await asking;
  };
}

function withinDeadline(database: Database, pool: { cut(): void }, ask: () => Promise<void>): Promise<void> {
  // The pool of single statements is not this one: what hangs here is cut here.
  const cancelCut = database.clock.after(answerWithinMs, () => pool.cut());
  return database.act('listen', () => ask().finally(cancelCut), answerWithinMs + 1_000);
}

/** Whoever can write SQL can say anything on the channel: what is not understood means that anything may have happened. */
export function noticeOf(payload: string, daemon: string): Notice | null {
  const said = parse(payload);
  const fabricId = typeof said.fabric === 'string' && /^[0-9]+$/.test(said.fabric) ? said.fabric : null;
  if (fabricId === null) return { what: 'everything' };
  const by = typeof said.by === 'string' ? said.by : '';
  switch (said.what) {
    case 'insert':
    case 'update':
    case 'delete':
      return { what: 'settings', fabricId };
    case 'changed':
      return by === daemon ? null : { what: 'changed', fabricId, ...(by !== '' && { by }) };
    case 'request':
      return { what: 'request', fabricId };
    case 'cancel':
    case 'unlock':
      return { what: said.what, fabricId, by };
    default:
      return { what: 'everything' };
  }
}

function parse(payload: string): { what?: unknown; fabric?: unknown; by?: unknown } {
  try {
    const said: unknown = JSON.parse(payload);
    return typeof said === 'object' && said !== null ? said : {};
  } catch {
    return {};
  }
}

// `inspect --link`: a link that opens the inspector's page once, for whoever may open the daemon's socket.

import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import type { ErrorDocument } from '../inspector/documents.ts';
import type { LinkDocument } from '../inspector/socket-api.ts';
import { CliFailure } from './cli-failure.ts';
import type { Exit } from './exit-codes.ts';
import { plain } from './plain-text.ts';
import type { Call } from './verb.ts';
import { whoAsks } from './world.ts';

const answerMsMax = 5_000;

export async function printLink({ world, out, signal }: Call, adminSocket: string): Promise<Exit> {
  const answer = await askForLink(adminSocket, whoAsks(world), signal);
  if (answer === null) {
    throw new CliFailure('failed', 'NO_DAEMON', `no daemon answers on ${adminSocket}`, {
      hint: 'Start it: fabric-syncd run --control; or say where its socket is: FABRIC_SYNCD_ADMIN_SOCKET.',
    });
  }
  if ('error' in answer) {
    const { code, message, hint } = answer.error;
    throw new CliFailure('refused', code, message, { hint });
  }
  out.document(answer);
  out.say(plain(answer.url));
  out.note(`It opens once, before ${answer.until}; what is done then is recorded as done by ${plain(answer.who)}.`);
  return 'done';
}

/** Null where nobody answers, or not with JSON. */
async function askForLink(
  socketPath: string,
  who: string,
  signal: AbortSignal,
): Promise<LinkDocument | ErrorDocument | null> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]);
  const headers = { 'content-type': 'application/json' };
  request({ socketPath, path: '/api/link', method: 'POST', headers, signal: deadline, agent: false }, (response) => {
    json(response).then(resolve, reject);
  })
    .once('error', reject)
    .end(JSON.stringify({ who }));
  try {
    return (await promise) as LinkDocument | ErrorDocument;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

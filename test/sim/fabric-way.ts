// The way from a daemon to a fabric: what the real one does with connections (`src/kube/transport.ts`), over questions that
// may be lost. What is asked on it and how its answers are read is the product's own (`src/kube/api.ts`).

import { FabricFailure } from '../../machines/fabric/failure.ts';
import { type Answer, statusFailure } from '../../src/kube/answers.ts';
import type { Transport } from '../../src/kube/transport.ts';
import type { Credential } from '../../src/ports/fabric-api.ts';
import type { SimFabric } from './fabric.ts';
import { nameOfAsked, readPath } from './fabric-answers.ts';
import { asFailure } from './fabric-errors.ts';
import type { SimProcess } from './host.ts';

const requestTimeoutMs = 15_000;

export function wayTo(fabric: SimFabric, process: SimProcess, credential: Credential): Transport {
  const token = credential.kind === 'token' ? credential.token : '';
  const place = `fabric-${fabric.fabricId} (172.30.0.1:6443)`;
  const { world } = process.host;
  return {
    place,
    async get(path, signal) {
      const { trouble } = fabric;
      const asked = readPath(path);
      const op = nameOfAsked(asked);
      if (process.alive) fabric.onRequest(process, op, path);
      const answering = process.ask({
        service: 'fabric',
        op,
        signal,
        deadlineMs: requestTimeoutMs,
        takesMs: trouble?.what === 'is slow' ? trouble.ms : trouble?.what === 'hangs' ? 2 * requestTimeoutMs : 0,
        broken: (why) =>
          new FabricFailure(why.startsWith('no answer') ? 'TIMED_OUT' : 'UNREACHABLE', `${place}: ${why}`),
        serve: () => {
          try {
            return fabric.answer(path, token);
          } catch (thrown) {
            throw asFailure(place, thrown);
          }
        },
      });
      // First of all: what follows from it may be another request.
      const heard = (answer: Answer | null) => process.alive && fabric.onAnswer(process, answer);
      const answer = await answering.catch((thrown: unknown) => {
        heard(null);
        throw thrown;
      });
      heard(answer);
      // The reader of lists gives the event loop its turn between two pages.
      if (asked.what === 'page') world.oweTurn();
      return answer;
    },
    failure(path, answer) {
      return statusFailure(place, path.replace(/\?.*$/s, ''), answer, this.scrub, process.clock.nowMs());
    },
    scrub: (text) => (token === '' ? text : text.replaceAll(token, '•••')),
    rest: () => false,
    close: async () => {},
  };
}

// What can be read, by path: for the HTTP server, and for the command line by the admin socket, which have judged already
// who asks.

import type { ServerResponse } from 'node:http';
import { Refusal } from './answers.ts';
import type { Details } from './details.ts';
import type { MachineDocument } from './documents.ts';
import type { Live } from './live.ts';
import type { Streams, Wanted } from './streams.ts';

export interface ReadingDeps {
  readonly live: Live;
  readonly details: Details;
  readonly streams: Streams;
  readonly machine: MachineDocument;
}

export class ReadingApi {
  readonly #deps: ReadingDeps;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  /**
   * @param path what follows `/api`, piece by piece
   * @throws Refusal, FabricFailure
   */
  async document(path: readonly string[]): Promise<object> {
    const { live, details, machine } = this.#deps;
    const [what, name = '', part, run = ''] = path;
    switch (`${what}/${path.length}`) {
      case 'fleet/1': {
        const { ready, release } = live.watch();
        await ready;
        release();
        return live.fleet();
      }
      case 'machine/1':
        return machine;
      case 'timers/1':
        return details.timers();
      case 'traces/2':
        return details.trace(name);
      case 'fabrics/2':
        return details.fabric(name);
      case 'fabrics/4':
        if (part === 'runs') return details.run(name, run);
    }
    throw new Refusal(404, 'NOT_FOUND', 'there is nothing of that name');
  }

  /** Takes the response over. @throws Refusal before anything was written */
  async stream(response: ServerResponse, wanted: Wanted): Promise<void> {
    await this.#deps.streams.serve(response, wanted);
  }
}

/** Of what a stream is wanted: the header wins, because a browser that comes back sends the address of its first time. */
export function wantedOf(query: URLSearchParams, lastEventId: string | readonly string[] | undefined): Wanted {
  const after = typeof lastEventId === 'string' ? lastEventId : query.get('after');
  return { after, fabric: query.get('fabric') };
}

// The cursor that a watcher of the inspector comes back with: it is told exactly what it missed, or everything anew.

import { wantedOf } from '../../../src/inspector/api.ts';
import { Feed } from '../../../src/inspector/feed.ts';
import type { Target } from '../target.ts';

const boot = 'b0otid';

export const cursors: Target = {
  name: 'cursor',
  about: 'Last-Event-ID, and the query of the stream on the next line',
  seeds: [
    `${boot}-0`,
    `${boot}-7\nfabric=lab`,
    `${boot}-12\nafter=${boot}-3&fabric=%00`,
    `${boot}-999999999999999\n`,
    `${boot}-00000000000007`,
    `former-3`,
    `\nafter=${boot}-8`,
    `${boot}--1`,
  ],
  async open() {
    // Some were dropped again, as after a long time.
    const feed = new Feed(boot, { messagesMax: 8, charactersMax: 10_000 });
    for (let count = 1; count <= 12; count++) feed.tell('run', `{"n":${count}}`, '1');
    return {
      run(input) {
        const [header = '', query = ''] = input.toString('utf8').split('\n', 2);
        const { after } = wantedOf(new URLSearchParams(query), header === '' ? undefined : header);
        const missed = after === null ? null : feed.since(after);
        if (missed === null) return;
        const last = /-([0-9]+)$/.exec(after ?? '')?.[1];
        if (!after?.startsWith(`${boot}-`) || last === undefined) throw new Error('told what is no cursor of ours');
        const told = missed.map(({ text }) => Number(/"n":(\d+)/.exec(text)?.[1]));
        const wanted = Array.from({ length: 12 - Number(last) }, (_, index) => Number(last) + 1 + index);
        if (JSON.stringify(told) !== JSON.stringify(wanted))
          throw new Error(`${told} was told, and ${wanted} was missed`);
      },
      async close() {},
    };
  },
};

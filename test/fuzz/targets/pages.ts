// A list of several pages, as the sync reads it: each line of the input is one answer, with whatever continue token it holds.
// A list counts only where it was read from its first page to its last in one pass, and its reading ends.

import { type Answer, statusFailure } from '../../../src/kube/answers.ts';
import { fabricApiOver } from '../../../src/kube/api.ts';
import type { ServedKind } from '../../../src/ports/fabric-api.ts';
import { Budget } from '../../../src/sync/budget.ts';
import { cleanLimitsDefault } from '../../../src/sync/clean.ts';
import { indexKnown, KindComparison } from '../../../src/sync/compare.ts';
import { type KindAnswer, type Listing, readAll, readLimitsDefault } from '../../../src/sync/read.ts';
import { refusals, type Target } from '../target.ts';

const kind: ServedKind = {
  ...{ group: 'wiring.githedgehog.com', version: 'v1beta1', kind: 'Switch', plural: 'switches', namespaced: true },
};
const pagesMax = 50;
/** What one run may read: far above what the pages of one input hold. */
const bytesMax = 64 * 1024 * 1024;
const place = 'lab (10.0.0.1:6443)';

const page = (names: readonly string[], next?: string) =>
  JSON.stringify({
    ...{ kind: 'SwitchList', apiVersion: 'wiring.githedgehog.com/v1beta1' },
    metadata: { resourceVersion: '9', ...(next !== undefined && { continue: next }) },
    items: names.map((name) => ({
      metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '7' },
      spec: { asn: 65_101 },
    })),
  });

const expired = JSON.stringify({ kind: 'Status', status: 'Failure', code: 410, reason: 'Expired' });

export const pagedLists: Target = {
  name: 'pages',
  about: 'the pages of a list, one a line, as far as the run that puts them together',
  seeds: [
    [page(['leaf-1'], 'a'), page(['leaf-2'], 'b'), page(['leaf-3'])].join('\n'),
    [page(['leaf-1'], 'a'), page(['leaf-1'])].join('\n'),
    [page(['leaf-1'], 'a'), page(['leaf-2'], 'a')].join('\n'),
    [page(['leaf-1'], 'a'), expired, page(['leaf-1'], 'b'), page(['leaf-2'])].join('\n'),
    [page(['leaf-1'], 'a'), page([], 'b'), page([], 'c'), page([])].join('\n'),
    page(['leaf-1'], 'x'.repeat(20_000)),
    Array.from({ length: 60 }, (_, at) => page([`leaf-${at}`], `token-${at}`)).join('\n'),
  ],
  async open() {
    return {
      async run(input) {
        const bodies = input.toString('utf8').split('\n');
        let asked = 0;
        const answer = (): Answer => {
          const body = bodies[asked++ % bodies.length] ?? '';
          const status = body.includes('"code":410') ? 410 : 200;
          const plain = { contentType: 'application/json', retryAfter: null, location: null };
          return { ...plain, status, body: Buffer.from(body) };
        };
        const api = fabricApiOver({
          place,
          get: async () => answer(),
          failure: (path, one) => statusFailure(place, path, one, (text) => text, 0),
          scrub: (text) => text,
          rest: () => false,
          close: async () => {},
        });
        const passes: KindComparison[] = [];
        const compare = () => {
          passes.push(new KindComparison(kind, 'default', indexKnown(new Map()), cleanLimitsDefault));
          return passes.at(-1) as KindComparison;
        };
        let ended: KindAnswer | null = null;
        const tell = (_: Listing, __: number, answered: KindAnswer | null) => {
          ended = answered ?? ended;
        };
        const limits = { ...readLimitsDefault, pagesMax };
        const listing = { label: kind.kind, served: kind, namespace: 'default', compare };
        await refusals(() =>
          readAll({ api, limits, budget: new Budget(bytesMax), tell }, [listing], new AbortController().signal),
        );
        if (asked > (limits.restartsMax + 1) * (pagesMax + 1)) throw new Error(`${asked} pages were asked for`);
        assertOnePass(ended, bodies, asked);
      },
      async close() {},
    };
  },
};

/** What is complete ended with a page that names no other, and holds no more than the pages since its pass began. */
function assertOnePass(ended: KindAnswer | null, bodies: readonly string[], asked: number): void {
  if (ended?.kind !== 'complete') return;
  const last = JSON.parse(bodies[(asked - 1) % bodies.length] ?? '');
  const token: unknown = last.metadata?.continue;
  if (typeof token === 'string' && token !== '') throw new Error('a list is complete whose last page names another');
  const items = Array.from({ length: asked }, (_, at) => bodies[at % bodies.length] ?? '').reduce(
    (sum, body) => sum + (body.includes('"code":410') ? 0 : (JSON.parse(body).items?.length ?? 0)),
    0,
  );
  if (ended.findings.listed > items) throw new Error(`${ended.findings.listed} objects were listed, ${items} came`);
}

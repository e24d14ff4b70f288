// What a person sees of a busy fleet: a browser that shows 1,000 fabrics while 50 of them are synced each second.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { CDPSession } from 'playwright-core';
import { systemClock } from '../../../src/clock.ts';
import type { SealingKey } from '../../../src/kube/sealing.ts';
import { chromiumAdvice, chromiumPath, launchChromium } from '../../support/chromium.ts';
import { type Stage, until } from '../bed.ts';
import { type Figure, percentile, type Scenario } from '../figure.ts';
import { addFleet, assertAllComplete, runsByOutcome } from '../fleet.ts';
import { type Drawn, probePage, type Smoothness } from '../page-probe.ts';

const full = { fabrics: 1_000, intervalSeconds: 20, scrollMs: 20_000, watchMs: 600_000 };
/** The same rate, a fifth of the fabrics, and no time to grow. */
const short = { fabrics: 200, intervalSeconds: 4, scrollMs: 5_000, watchMs: 20_000 };
const startMsMax = 30_000;
/** As a wheel that is turned fast: the whole fleet in some six seconds. */
const scrollPxPerFrame = 120;
/** From here on a person sees it. */
const slowFrameMs = 50;

export const page: Scenario = {
  name: 'page',
  about:
    'the inspector in a browser: 1,000 tiny fabrics, each synced every 20 s: 50 syncs a second where there is room for them',
  notMeasured: [
    'A graphics card: Chromium without a window draws with the two cores on which all the rest runs as well.',
    'A network between the daemon and the browser.',
  ],
  async run({ bed, quick, say }) {
    if (chromiumPath === null) throw new Error(`there is ${chromiumAdvice}`);
    const { fabrics: count, intervalSeconds, scrollMs, watchMs } = quick ? short : full;
    return bed.stage(async (stage) => {
      const { base, heard } = await startFleet(stage, bed.key, count, intervalSeconds);
      const browser = await launchChromium();
      try {
        const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
        const beganMs = systemClock.monotonicMs();
        await page.goto(base);
        await page.locator('tr.row').first().waitFor();
        const openMs = systemClock.monotonicMs() - beganMs;
        const probe = await probePage(page);
        const cdp = await page.context().newCDPSession(page);

        const scrolled = await probe.scroll(scrollMs, scrollPxPerFrame);
        await page.evaluate('scrollTo(0, 0)');
        await probe.drawn();
        const heapBefore = await heapMiB(cdp);
        const heardBefore = heard.count();
        const beganWatchingMs = systemClock.monotonicMs();
        const runsBefore = await runs(stage.sql);
        const looked = await probe.look(watchMs);
        const perSecond =
          ((await runs(stage.sql)) - runsBefore) / ((systemClock.monotonicMs() - beganWatchingMs) / 1_000);
        const heapAfter = await heapMiB(cdp);
        const latenciesMs = latencies(await probe.drawn(), heard.moves());
        say(
          `  ${heard.count() - heardBefore} steps were told while it was watched; ${latenciesMs.length} were drawn in sight`,
        );
        await assertAllComplete(stage.sql);
        return [
          { name: 'until the fleet is drawn', value: openMs, unit: 'ms', bound: { atMost: 3_000 } },
          ...smoothness('scrolling', scrolled),
          ...smoothness('looking', looked),
          { name: 'syncs meanwhile', value: perSecond, unit: '1/s' },
          { name: 'change to drawn row p50', value: percentile(latenciesMs, 50), unit: 'ms', bound: { atMost: 100 } },
          { name: 'change to drawn row p99', value: percentile(latenciesMs, 99), unit: 'ms', bound: { atMost: 500 } },
          { name: 'heap at first', value: heapBefore, unit: 'MiB' },
          { name: 'heap after the watching', value: heapAfter, unit: 'MiB', bound: { atMost: heapBefore + 8 } },
        ] satisfies readonly Figure[];
      } finally {
        await browser.close();
      }
    });
  },
};

async function runs(sql: Stage['sql']): Promise<number> {
  return (await runsByOutcome(sql)).complete ?? 0;
}

/** The fleet is at its rate, and every fabric was synced once. */
async function startFleet({ sql, fabrics, daemon }: Stage, key: SealingKey, count: number, intervalSeconds: number) {
  const farm = await fabrics.startFarm({ count });
  await addFleet(sql, { farm, key, intervalSeconds, lastSync: 'never' });
  const port = await freePort();
  const one = await daemon({ FABRIC_SYNCD_INSPECTOR: `127.0.0.1:${port}` });
  await one.keeps(count, startMsMax);
  const synced = new Set<string>();
  const moves: Move[] = [];
  let steps = 0;
  await one.hear((tiding) => {
    if (tiding.type === 'run') synced.add(tiding.fabric_id);
    if (tiding.type !== 'transition') return;
    steps += 1;
    if (tiding.from.split('.', 1)[0] !== tiding.state) {
      moves.push({ fabric: tiding.fabric, state: tiding.state, atMs: Date.parse(tiding.at) });
    }
  });
  await until(() => synced.size === count, startMsMax + 240_000, 'every fabric was synced once');
  return { base: `http://127.0.0.1:${port}`, heard: { count: () => steps, moves: () => moves } };
}

/** A fabric entered a state, by the daemon's clock: the same as the browser's, as both are on this machine. */
interface Move {
  readonly fabric: string;
  readonly state: string;
  readonly atMs: number;
}

/** Of each state that was drawn: how long after the fabric had entered it. */
function latencies(drawn: readonly Drawn[], moves: readonly Move[]): number[] {
  const byFabric = Map.groupBy(moves, ({ fabric }) => fabric);
  return drawn.flatMap(({ fabric, state, atMs }) => {
    const meant = byFabric.get(fabric)?.findLast((move) => move.state === state && move.atMs <= atMs);
    return meant ? [atMs - meant.atMs] : [];
  });
}

function smoothness(during: string, { framesMs, longTasksMs }: Smoothness): readonly Figure[] {
  const slow = framesMs.filter((ms) => ms > slowFrameMs).length;
  return [
    { name: `${during}: frame p50`, value: percentile(framesMs, 50), unit: 'ms', bound: { atMost: 17 } },
    { name: `${during}: frame p99`, value: percentile(framesMs, 99), unit: 'ms', bound: { atMost: slowFrameMs } },
    { name: `${during}: frames over ${slowFrameMs} ms`, value: (slow / framesMs.length) * 100, unit: '%' },
    { name: `${during}: longest task`, value: Math.max(0, ...longTasksMs), unit: 'ms' },
  ];
}

/** What the page keeps, after its rubbish was taken out. */
async function heapMiB(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  return usedSize / 1024 / 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

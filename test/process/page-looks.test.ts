// How the page looks to who has a narrow screen, or wants no motion; and what it says while something is away.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PrivatePostgres, startPrivatePostgres } from '../../src/demo/servers/postgres.ts';
import { browserOfThisFile, needsChromium, seriousFaults } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium.ts';
import { makeTemplate } from '../support/postgres.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { proxyBefore, restsAfterSync } from '../support/process/frozen-postgres.ts';
import { idleFabrics, inspectorOn, logIn, pageOf, row } from '../support/process/inspector-page.ts';
import { redisFound } from '../support/redis.ts';

const openBed = bedsOfThisFile();
const visit = browserOfThisFile();

/** A server to take away. */
let server: PrivatePostgres;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fabric-syncd-postgres-'));
  server = await startPrivatePostgres({ dir: folder });
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(chromiumPath === null)(`the page${needsChromium}`, () => {
  test('is sorted on a narrow screen by a choice, and the other way round by a button', async () => {
    const bed = await openBed();
    await idleFabrics(bed, 3);
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const page = await visit(base, { width: 360 });
    await page.getByLabel('Sort by').selectOption('Objects');
    await expect.poll(() => new URL(page.url()).search, eventually).toBe('?sort=objects');
    await page.getByLabel('Sort by').selectOption('Fabric');
    await page.getByRole('button', { name: 'Turn the order' }).click();
    await expect.poll(() => new URL(page.url()).search, eventually).toBe('?sort=-name');
    await expect.poll(() => page.locator('tr.row').first().getAttribute('data-fabric'), eventually).toBe('fabric-0003');
  });

  test('moves nothing for who wants no motion', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab');
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    await lab.synced();
    const page = await visit(`${base}/fabrics/lab`, { reducedMotion: true });
    await page.locator('.arrow-fresh').first().waitFor({ state: 'attached' });
    // The arrow lights up at once and goes out at once; nothing travels and nothing turns.
    const moving = await page.evaluate<string[]>('document.getAnimations().map((one) => one.animationName)');
    expect(new Set(moving)).toEqual(new Set(['light']));
  });

  test('tells a fabric that is not there from a daemon that does not answer, and finds it when it comes', async () => {
    const bed = await openBed();
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const page = await visit(`${base}/fabrics/lab`);
    await page.getByText('There is no fabric "lab"').waitFor();
    await page.locator('.pulse-live').waitFor();
    // The link was stale, and the way on leads somewhere.
    await page.getByRole('link', { name: 'To the fleet', exact: true }).click();
    await page.getByText('No fabric yet').waitFor();
    await page.goBack();
    await page.getByText('There is no fabric "lab"').waitFor();
    await bed.fabric('lab');
    await page.locator('.chart-drawing').waitFor();
    await page.goto(`${base}/login`);
    await page.locator('.pulse-live').waitFor();
  });

  test('a fabric that is removed while it is looked at is said to be gone, and leads to the fleet', async () => {
    const bed = await openBed();
    await idleFabrics(bed, 2);
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const page = await visit(`${base}/fabrics/fabric-0001`);
    await page.locator('.chart-drawing').waitFor();
    expect(await bed.cli('fabric', 'remove', 'fabric-0001', '--yes')).toMatchObject({ code: 0 });
    await page.getByRole('alert').getByText('There is no fabric "fabric-0001"').waitFor();
    await page.getByRole('link', { name: 'Fleet', exact: true }).first().click();
    await row(page, 'fabric-0002').waitFor();
    expect(await row(page, 'fabric-0001').count()).toBe(0);
  });

  test('finds each of many timers by a search, which stands in the address', async () => {
    const bed = await openBed();
    await idleFabrics(bed, 250);
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const page = await visit(`${base}/timers`);
    const rows = page.locator('.timers-table tbody tr');
    await page.getByText('The first 200 of 250: search for the other 50.').waitFor();
    expect(await rows.count()).toBe(200);
    await page.keyboard.press('/');
    await page.keyboard.type('0250 WANTED');
    await page.getByText('1 of 250 timers').waitFor();
    await rows.getByText('fabric-0250').waitFor();
    expect(await rows.count()).toBe(1);
    expect(new URL(page.url()).search).toBe('?q=0250+WANTED');
    await page.reload();
    await page.getByText('1 of 250 timers').waitFor();
    await rows.getByText('fabric-0250').waitFor();
    await page.getByLabel('Search by fabric').fill('nobody');
    await page.getByText('0 of 250 timers').waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  });

  test('takes a Postgres that hangs for one that is missing, and not the daemon for one that is gone', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const proxy = await proxyBefore(bed);
    const daemon = await bed.daemon({ ...inspectorOn, DATABASE_URL: proxy.url }).ready();
    const base = await pageOf(daemon);
    await restsAfterSync(daemon, lab);
    const page = await visit(base);
    await logIn(page, bed);
    await page.goto(`${base}/timers`);
    await page.getByRole('heading', { name: 'Timers' }).waitFor();
    proxy.freeze();
    for (const view of ['/fabrics/lab', '/']) {
      await page.goto(base + view);
      await page.getByRole('alert').getByText('Postgres is missing since').waitFor();
      await page.locator('#main').getByText('lab', { exact: true }).first().waitFor();
      expect(await page.getByText('The daemon does not answer').count()).toBe(0);
    }
    await page.goto(`${base}/fabrics/lab`);
    await page.getByText('Postgres has them, and does not answer.').waitFor();
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.locator('.banner-bad').getByText('Nothing was changed. Ask again when Postgres answers.').waitFor();
    proxy.thaw();
    await page.getByText('Postgres is missing since').waitFor({ state: 'detached' });
    await page.locator('tr[data-run]').first().waitFor();
  });

  test.skipIf(redisFound === null)('says which part is missing, and never that all is well meanwhile', async () => {
    let isDown = false;
    const template = (await makeTemplate(server.url)).name;
    const bed = await openBed({ redis: 'own', postgres: { url: server.url, template } });
    try {
      const lab = await bed.fabric('lab', { sync_interval: 3600 });
      const base = await pageOf(await bed.daemon(inspectorOn).ready());
      await lab.synced();
      const page = await visit(base);
      const well = page.getByText('nothing needs a look');
      await row(page, 'lab').getByText('in sync').waitFor();
      await well.waitFor();

      await bed.redis.kill();
      await page.getByRole('alert').getByText('Redis is missing since').waitFor();
      await well.waitFor({ state: 'detached' });
      expect(await seriousFaults(page)).toEqual([]);
      await bed.redis.start();
      await page.getByText('Redis is missing since').waitFor({ state: 'detached' });
      await well.waitFor();

      isDown = true;
      await server.kill();
      await page.getByRole('alert').getByText('Postgres is missing since').waitFor();
      await well.waitFor({ state: 'detached' });
      expect(await row(page, 'lab').count()).toBe(1);
      await page.goto(`${base}/fabrics/lab`);
      await page.getByText('Postgres has them, and does not answer.').waitFor();
      await page.locator('.why-trouble').getByText('Postgres has not answered since').waitFor();
      expect(await seriousFaults(page)).toEqual([]);
      await server.restart();
      isDown = false;
      await page.getByText('Postgres is missing since').waitFor({ state: 'detached' });
      await page.locator('tr[data-run]').first().waitFor();
    } finally {
      // Before the bed is cleared away, which takes its database back.
      if (isDown) await server.restart();
    }
  });
});

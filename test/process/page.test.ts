// The inspector's page in a real browser, before a real daemon with real servers and simulated fabrics.

import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserOfThisFile, needsChromium } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { idleFabrics, inspectorOn, pageOf, row } from '../support/process/inspector-page.ts';

const openBed = bedsOfThisFile();
const visit = browserOfThisFile();
const rowsDrawn = (page: Page) => page.locator('tr.row').count();
const firstDrawn = (page: Page) => page.locator('tr.row').first().getAttribute('data-fabric');
const path = (page: Page) => new URL(page.url()).pathname + new URL(page.url()).search;

/** What may be neither markup nor script wherever it is shown. */
const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>&amp;"'`;

describe.skipIf(chromiumPath === null)(`the page${needsChromium}`, () => {
  test('shows a fabric that breaks and recovers, as it happens', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab');
    const daemon = await bed.daemon(inspectorOn).ready();
    const base = await pageOf(daemon);
    const page = await visit(base);
    await row(page, 'lab').getByText('in sync').waitFor();
    await row(page, 'lab').locator('.c-objects').getByText('38').waitFor();

    await lab.cluster.faults.set({ does: 'status', status: 503 });
    await row(page, 'lab').getByText('backoff').waitFor();
    await row(page, 'lab').locator('.c-error').getByText('503').waitFor();
    await page.getByText('1 in error').waitFor();

    await row(page, 'lab').getByRole('link', { name: 'lab', exact: true }).click();
    await expect.poll(() => path(page), eventually).toBe('/fabrics/lab');
    await page.locator('.box-present.state-backoff').waitFor();
    await page.locator('.arrow-fresh').first().waitFor({ state: 'attached' });

    await lab.cluster.faults.clear();
    await page.locator('.box-present.state-scheduled').waitFor();
    await page.locator('.why').getByText('All is well').waitFor();
    await page.locator('tr[data-run]').getByText('failed').first().waitFor();
    await page.locator('.fabric-head').getByText('in sync').waitFor();
  });

  test('stays as it was over a restart of the daemon, says so meanwhile, and goes on by itself', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab');
    await idleFabrics(bed, 3);
    const first = await bed.daemon(inspectorOn).ready();
    const base = await pageOf(first);
    const page = await visit(`${base}/?q=lab`);
    await row(page, 'lab').getByText('in sync').waitFor();

    await first.stop();
    await page.getByText('The daemon does not answer since').waitFor();
    expect(await rowsDrawn(page)).toBe(1);

    const address = { ...inspectorOn, FABRIC_SYNCD_INSPECTOR: new URL(base).host };
    const second = await bed.daemon(address).ready();
    await page.getByText('The daemon does not answer since').waitFor({ state: 'detached' });
    await page.locator('.pulse-live').waitFor();
    await page.locator('.foot').getByText(`/${second.pid}/`).waitFor();
    await expect.poll(() => path(page), eventually).toBe('/?q=lab');
    expect(await page.locator('#search').inputValue()).toBe('lab');
    await lab.cluster.faults.set({ does: 'status', status: 503 });
    await row(page, 'lab').getByText('backoff').waitFor();
  });

  test('draws of a thousand fabrics only those in sight; search, filter and sort are in the address', async () => {
    const bed = await openBed();
    await idleFabrics(bed, 1_000);
    await bed.fabric('zzz-lab');
    const daemon = await bed.daemon(inspectorOn).ready();
    const base = await pageOf(daemon);
    const page = await visit(base);
    await page.getByText('1,001 fabrics').waitFor();
    const table = page.getByRole('table', { name: 'Fabrics' });
    expect(await table.getAttribute('aria-rowcount')).toBe('1002');
    expect(await rowsDrawn(page)).toBeLessThan(60);

    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await row(page, 'zzz-lab').waitFor();
    expect(await row(page, 'zzz-lab').getAttribute('aria-rowindex')).toBe('1002');
    expect(await rowsDrawn(page)).toBeLessThan(60);

    await page.locator('#search').fill('fabric-099');
    await page.getByText('10 of 1,001 fabrics').waitFor();
    await page.getByRole('button', { name: 'Fabric', exact: true }).click();
    await expect.poll(() => path(page), eventually).toBe('/?q=fabric-099&sort=-name');
    // The address changes at once, what is drawn with the next frame.
    await expect.poll(() => firstDrawn(page), eventually).toBe('fabric-0999');

    const shared = await visit(page.url());
    await shared.getByText('10 of 1,001 fabrics').waitFor();
    expect(await firstDrawn(shared)).toBe('fabric-0999');
    await shared.locator('#search').fill('');
    await shared.getByRole('button', { name: /^idle/ }).click();
    await shared.getByText('1,000 of 1,001 fabrics').waitFor();
    await shared.goBack();
    await shared.getByText('1,001 fabrics', { exact: true }).waitFor();
  });

  test('shows hostile texts as the text that they are', async () => {
    const bed = await openBed();
    await bed.sql`insert into fabric (name, description) values ('evil', ${hostile})`;
    await bed.cli('pause', 'evil', '--reason', hostile);
    const lab = await bed.fabric('lab');
    const daemon = await bed.daemon(inspectorOn).ready();
    const base = await pageOf(daemon);
    const page = await visit(`${base}/fabrics/evil?tab=settings`);
    await page.locator('.terms').getByText(hostile).waitFor();
    await page.locator('.facts').getByText(hostile).waitFor();

    // What a fabric says of itself: in the changes of a run, and in the words of its refusal.
    await lab.synced();
    const { store } = lab.cluster;
    const [vpc] = store.all(store.kind('VPC'));
    if (!vpc) throw new Error('the lab has no VPC');
    store.update(vpc, { annotations: { [hostile]: hostile } });
    const changed = await vi.waitFor(async () => {
      const [{ id } = { id: '' }] = await bed.sql<{ id: string }[]>`select id::text from fabric_run where updated = 1`;
      expect(id).not.toBe('');
      return id;
    }, eventually);
    await page.goto(`${base}/fabrics/lab?run=${changed}`);
    // As JSON, whose quotes are escaped.
    await page.locator('.fields ins').getByText("<script>document.title='owned'</script>").first().waitFor();
    await lab.cluster.faults.set({ does: 'body', text: hostile, contentType: 'text/html' });
    await page.locator('.box-present.state-backoff').waitFor();

    await page.goto(`${base}/?q=${encodeURIComponent(hostile)}`);
    await page.getByText('No fabric is like that').waitFor();
    expect(await page.locator('#search').inputValue()).toBe(hostile);
    expect(await page.title()).not.toContain('owned');
    expect(await page.locator('img:not(.brand img), main script').count()).toBe(0);
  });

  test('opens a run field by field, its trace, a state of the chart, and the timers', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab');
    await idleFabrics(bed, 3);
    const daemon = await bed.daemon(inspectorOn).ready();
    const base = await pageOf(daemon);
    const first = await lab.synced();
    const page = await visit(`${base}/fabrics/lab`);
    await page.getByRole('link', { name: `Run ${first.id}, its changes` }).click();
    await page.locator('.change').first().waitFor();
    expect(await page.locator('.change').count()).toBe(38);
    await expect.poll(() => path(page), eventually).toBe(`/fabrics/lab?run=${first.id}`);

    await page.getByRole('link', { name: `Trace of run ${first.id}` }).click();
    await page.locator('.waterfall .span').getByText('fabric.run').waitFor();

    await page.getByRole('button', { name: /^locked: / }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'State locked' }).getByText('leaseAcquired').waitFor();

    await page.getByRole('link', { name: 'Timeline', exact: true }).click();
    await page.locator('.timeline').getByText('runSync done').first().waitFor();

    await page.getByRole('link', { name: 'Timers' }).click();
    await page.getByText('Redis and Postgres agree').waitFor();
    await page.getByRole('rowheader', { name: 'lab' }).waitFor();

    // Who came by a link to one fabric had heard of that one alone.
    await page.goto(`${base}/fabrics/lab`);
    await page.locator('.chart-drawing').waitFor();
    await page.getByRole('link', { name: 'Fleet', exact: true }).first().click();
    await page.getByText('4 fabrics').waitFor();
    await row(page, 'lab').getByRole('link').click();
    await page.locator('.chart-drawing').waitFor();
    await page.goBack();
    await page.getByText('4 fabrics').waitFor();
  });

  test('is used by keys alone', async () => {
    const bed = await openBed();
    await idleFabrics(bed, 5);
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const page = await visit(base);
    await row(page, 'fabric-0001').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('fabric');
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'fabric-0002' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.getByRole('heading', { name: 'Timers' }).waitFor();
  });

  test('counts by the daemon’s clock where the browser’s is wrong', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    await lab.synced();
    const page = await visit(base, { clockAheadMs: -7_200_000 });
    await row(page, 'lab')
      .getByText(/^in (?:59|60) m|^in 1 h/)
      .waitFor();
    await row(page, 'lab')
      .locator('.c-age')
      .getByText(/\d s ago|just now/)
      .waitFor();
    await page
      .locator('.foot')
      .getByText(/this browser's clock is 7(?:19|20)\d s behind/)
      .waitFor();
  });
});

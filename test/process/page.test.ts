// The inspector's page in a real browser, before a real daemon with real servers and simulated fabrics.

import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserOfThisFile, chromiumPath, needsChromium, seriousFaults } from '../support/browser.ts';
import { type Bed, bedsOfThisFile } from '../support/process/bed.ts';
import { type Daemon, eventually } from '../support/process/daemon.ts';

const openBed = bedsOfThisFile();
const visit = browserOfThisFile();
const on = { FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0', FABRIC_SYNCD_INSPECTOR_CONTROL: 'on' };

/** Where the page of a daemon is. */
async function pageOf(daemon: Daemon): Promise<string> {
  const { url } = await daemon.says(/^the inspector is at /);
  return String(url);
}

const row = (page: Page, fabric: string) => page.locator(`tr[data-fabric="${fabric}"]`);
const rowsDrawn = (page: Page) => page.locator('tr.row').count();
const path = (page: Page) => new URL(page.url()).pathname + new URL(page.url()).search;

/** Fabrics that nobody has said a server of: rows, and nothing to sync. */
async function idleFabrics(bed: Bed, count: number): Promise<void> {
  await bed.sql`insert into fabric (name) select 'fabric-' || lpad(n::text, 4, '0') from generate_series(1, ${count}::int) n`;
}

/** What may be neither markup nor script wherever it is shown. */
const hostile = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>&amp;"'`;

describe.skipIf(chromiumPath === null)(`the page${needsChromium}`, () => {
  test('shows a fabric that breaks and recovers, as it happens', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab');
    const daemon = await bed.daemon(on).ready();
    const base = await pageOf(daemon);
    const page = await visit(base);
    await row(page, 'lab').getByText('in sync').waitFor();
    expect(await row(page, 'lab').locator('.c-objects').textContent()).toContain('38');

    await lab.cluster.faults.set({ does: 'status', status: 503 });
    await row(page, 'lab').getByText('backoff').waitFor();
    await row(page, 'lab').locator('.c-error').getByText('503').waitFor();
    await page.getByText('1 in error').waitFor();

    await row(page, 'lab').getByRole('link', { name: 'lab', exact: true }).click();
    expect(path(page)).toBe('/fabrics/lab');
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
    const first = await bed.daemon(on).ready();
    const base = await pageOf(first);
    const page = await visit(`${base}/?q=lab`);
    await row(page, 'lab').getByText('in sync').waitFor();

    await first.stop();
    await page.getByText('The daemon does not answer since').waitFor();
    expect(await rowsDrawn(page)).toBe(1);

    const address = { ...on, FABRIC_SYNCD_INSPECTOR: new URL(base).host };
    const second = await bed.daemon(address).ready();
    await page.getByText('The daemon does not answer since').waitFor({ state: 'detached' });
    await page.locator('.pulse-live').waitFor();
    await page.locator('.foot').getByText(`/${second.pid}/`).waitFor();
    expect(path(page)).toBe('/?q=lab');
    expect(await page.locator('#search').inputValue()).toBe('lab');
    await lab.cluster.faults.set({ does: 'status', status: 503 });
    await row(page, 'lab').getByText('backoff').waitFor();
  });

  test('draws of a thousand fabrics only those in sight; search, filter and sort are in the address', async () => {
    const bed = await openBed();
    await idleFabrics(bed, 1_000);
    await bed.fabric('zzz-lab');
    const daemon = await bed.daemon(on).ready();
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
    expect(await page.locator('tr.row').first().getAttribute('data-fabric')).toBe('fabric-0999');

    const shared = await visit(page.url());
    await shared.getByText('10 of 1,001 fabrics').waitFor();
    expect(await shared.locator('tr.row').first().getAttribute('data-fabric')).toBe('fabric-0999');
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
    const daemon = await bed.daemon(on).ready();
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
    const daemon = await bed.daemon(on).ready();
    const base = await pageOf(daemon);
    const first = await lab.synced();
    const page = await visit(`${base}/fabrics/lab`);
    await page.getByRole('link', { name: `Run ${first.id}, its changes` }).click();
    await page.locator('.change').first().waitFor();
    expect(await page.locator('.change').count()).toBe(38);
    expect(path(page)).toBe(`/fabrics/lab?run=${first.id}`);

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

  test('has buttons for who has logged in by a link, whose token is gone from the address at once', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const daemon = await bed.daemon(on).ready();
    const base = await pageOf(daemon);
    await lab.synced();
    const page = await visit(`${base}/fabrics/lab`);
    await page.locator('.why').waitFor();
    expect(await page.getByRole('button', { name: 'Sync now' }).count()).toBe(0);

    const { url } = (await bed.cli('inspect', '--link', '--json')).json<{ url: string }>();
    await page.goto(url);
    await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    expect(page.url()).toBe(`${base}/`);
    await page.getByRole('link', { name: 'lab', exact: true }).click();
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.locator('.banner-good').waitFor();
    await vi.waitFor(
      async () => expect((await lab.runs()).map(({ trigger }) => trigger)).toContain('manual'),
      eventually,
    );

    await page.getByRole('button', { name: 'Pause …' }).click();
    await page.getByRole('dialog').getByLabel('Reason').fill('switch upgrade');
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await page.locator('.facts').getByText('switch upgrade').waitFor();
    await page
      .locator('.why')
      .getByText(/paused/i)
      .waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause …' }).waitFor();

    await page.goto(url);
    await page.getByText('The link was not accepted').waitFor();
    await page.getByRole('link', { name: 'To the fleet, to look' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log out' }).waitFor({ state: 'detached' });
  });

  test('is used by keys alone', async () => {
    const bed = await openBed();
    await idleFabrics(bed, 5);
    const base = await pageOf(await bed.daemon(on).ready());
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
    const base = await pageOf(await bed.daemon(on).ready());
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

  test.each([
    ['light', 1440],
    ['light', 360],
    ['dark', 1440],
    ['dark', 360],
  ] as const)('has nothing that is serious to axe, and nothing too wide: %s, %i px', async (scheme, width) => {
    const bed = await openBed();
    // One run: the daemon keeps the traces of the latest only.
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const sick = await bed.fabric('sick');
    await sick.cluster.faults.set({ does: 'status', status: 503 });
    await idleFabrics(bed, 2);
    await bed.cli('pause', 'fabric-0001', '--reason', 'a switch upgrade');
    const base = await pageOf(await bed.daemon(on).ready());
    const { id } = await lab.synced();
    await sick.until(({ state }) => state === 'backoff', 'in backoff');
    const trace = await traceOf(base, 'lab', id);
    const views: readonly [address: string, shows: string][] = [
      ['/', 'tr.row'],
      ['/timers', '.histogram'],
      [`/fabrics/lab?run=${id}&trace=${trace}`, '.waterfall'],
      ['/fabrics/sick', '.why-trouble'],
      ['/fabrics/sick?tab=timeline', '.timeline'],
      ['/fabrics/lab?tab=settings', '.counts'],
      ['/login', 'h1'],
      ['/nowhere', 'h1'],
    ];
    const page = await visit(base, { scheme, width });
    for (const [address, shows] of views) {
      await page.goto(base + address);
      await page.locator(shows).first().waitFor();
      expect(await seriousFaults(page), address).toEqual([]);
      const over = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      expect(over, `${address} is too wide`).toBeLessThanOrEqual(0);
    }
  });
});

async function traceOf(base: string, fabric: string, run: string): Promise<string> {
  const response = await fetch(`${base}/api/fabrics/${fabric}`);
  const { runs } = (await response.json()) as { runs: { id: string; trace_id: string | null }[] };
  return runs.find(({ id }) => id === run)?.trace_id ?? '';
}

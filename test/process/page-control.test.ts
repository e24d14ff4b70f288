// What a person who has logged in does from the page, and what it comes to in the rows.

import { writeFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { browserOfThisFile, needsChromium } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium.ts';
import { hold } from '../support/hold.ts';
import { bedsOfThisFile } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { inspectorOn, logIn, pageOf, patient } from '../support/process/inspector-page.ts';

const openBed = bedsOfThisFile();
const visit = browserOfThisFile();

describe.skipIf(chromiumPath === null)(`the buttons of the page${needsChromium}`, () => {
  test('are for who has logged in by a link, whose token is gone from the address at once', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const daemon = await bed.daemon(inspectorOn).ready();
    const base = await pageOf(daemon);
    await lab.synced();
    const page = await visit(`${base}/fabrics/lab`);
    await page.locator('.why').waitFor();
    expect(await page.getByRole('button', { name: 'Sync now' }).count()).toBe(0);

    const { url } = (await bed.cli('inspect', '--link', '--json')).json<{ url: string }>();
    await page.goto(url);
    await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    await expect.poll(() => page.url(), eventually).toBe(`${base}/`);
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

  test('end a run that hangs: cancelled once, unlocked once, and then retried', async () => {
    const bed = await openBed({ env: patient });
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    await lab.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' } });
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const first = await lab.working();
    const page = await visit(base);
    await logIn(page, bed);
    await page.goto(`${base}/fabrics/lab`);
    const panel = page.getByRole('region', { name: `Run ${first.id} in hand` });
    await panel.getByText('14 of 15 kinds read').waitFor();
    expect(await panel.getByRole('progressbar', { name: /^Switch: 0 objects read$/ }).count()).toBe(1);

    const controls = page.getByRole('group', { name: 'What to do with lab' });
    await controls.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Leave it' }).click();
    expect((await lab.row()).leaseHolder).not.toBeNull();
    await controls.getByRole('button', { name: 'Cancel the run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click();
    await vi.waitFor(async () => expect((await lab.run(first.id)).outcome).toBe('cancelled'), eventually);

    await page.getByRole('button', { name: /Sync now|Retry now/ }).click();
    const second = await lab.working();
    await page.getByRole('button', { name: 'Unlock …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Break the lock' }).click();
    await vi.waitFor(async () => expect((await lab.run(second.id)).outcome).not.toBeNull(), eventually);
    expect((await lab.run(second.id)).outcome).not.toBe('complete');

    await lab.cluster.faults.clear();
    await page.getByRole('button', { name: /Sync now|Retry now/ }).click();
    await lab.synced(second.id);
    const acts = await bed.sql<{ act: string; by: string }[]>`select act, by from fabric_act order by id`;
    expect(acts.map(({ act }) => act)).toEqual(expect.arrayContaining(['cancel', 'unlock']));
    expect(new Set(acts.map(({ by }) => by.split('@')[0]))).toEqual(new Set(['ann']));
  });

  test('retry a fabric that waits for a person, once the credential is mended', async () => {
    const bed = await openBed({ env: patient });
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    await writeFile(lab.tokenFile, 'not-the-token');
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    await lab.until(({ state }) => state === 'errored', 'errored');
    const page = await visit(base);
    await logIn(page, bed);
    await page.goto(`${base}/fabrics/lab`);
    await writeFile(lab.tokenFile, lab.cluster.token);
    await page.getByRole('button', { name: 'Retry now' }).click();
    await lab.synced();
    await page.locator('.fabric-head').getByText('in sync').waitFor();
  });

  test('approve what was held back, after it was seen', async () => {
    const bed = await openBed({ env: patient });
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    await lab.synced();
    const { store } = lab.cluster;
    const gone = ['Connection', 'VPC'].flatMap((kind) => store.all(store.kind(kind)));
    for (const object of gone) store.delete(object);
    const page = await visit(base);
    await logIn(page, bed);
    await page.goto(`${base}/fabrics/lab`);
    await page.getByRole('button', { name: 'Sync now' }).click();
    await page.getByRole('button', { name: 'Approve …' }).click();
    await page.getByRole('dialog').getByText(`would delete ${gone.length} of 38 objects`).waitFor();
    await page.getByRole('dialog').getByText('14 Connection').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await vi.waitFor(async () => {
      const [{ live } = { live: -1 }] = await bed.sql<{ live: number }[]>`
        select count(*)::int as live from fabric_resource where fabric_id = ${lab.id} and deleted_at is null`;
      expect(live).toBe(38 - gone.length);
    }, eventually);
  });

  test('ask about one act while another is still being answered', async () => {
    const bed = await openBed({ env: patient });
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const { id } = await lab.synced();
    await lab.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' } });
    const page = await visit(base);
    await logIn(page, bed);
    await page.goto(`${base}/fabrics/lab`);
    const asked = Promise.withResolvers<void>();
    await page.route('**/api/fabrics/lab/trigger', async (route) => {
      const response = await route.fetch();
      await asked.promise;
      await route.fulfill({ response });
    });
    await page.getByRole('button', { name: 'Sync now' }).click();
    const run = await vi.waitFor(async () => {
      const inHand = await lab.working();
      expect(inHand.id).not.toBe(id);
      return inHand;
    }, eventually);
    await page.getByRole('button', { name: 'Unlock …' }).click();
    const dialog = page.getByRole('dialog', { name: 'lab: Break the lock?' });
    await dialog.waitFor();
    asked.resolve();
    await page.locator('.banner-good').waitFor();
    await dialog.getByRole('button', { name: 'Break the lock' }).click();
    await vi.waitFor(async () => expect((await lab.run(run.id)).outcome).toBe('fenced'), eventually);
    await dialog.waitFor({ state: 'detached' });
  });

  test('ask for no sync while a failed run is still being written down, which it would join', async () => {
    const bed = await openBed({ env: patient });
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    await lab.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' } });
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const { id } = await lab.working();
    const page = await visit(base);
    await logIn(page, bed);
    await page.goto(`${base}/fabrics/lab`);
    await page.getByRole('button', { name: 'Cancel the run' }).waitFor();
    const ending = await hold(bed.sql, (tx) => tx`select from fabric_run where id = ${id} for update`);
    await lab.cluster.stop();
    await ending.waitedFor();
    await page.locator('.fabric-head .badge').getByText('recording').waitFor();
    const controls = page.getByRole('group', { name: 'What to do with lab' });
    expect(await controls.getByRole('button').allTextContents()).toEqual(['Pause …', 'Unlock …']);
    await ending.letGo();
    await controls.getByRole('button', { name: 'Retry now' }).waitFor();
  });

  test('are there as soon as the daemon says who it is, also where it did not answer at first', async () => {
    const bed = await openBed();
    await bed.fabric('lab', { sync_interval: 3600 });
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const page = await visit(base);
    await logIn(page, bed);
    // As many as a page asks while it loads.
    await page.route('**/api/session', (route) => route.abort(), { times: 2 });
    await page.goto(`${base}/fabrics/lab`);
    await page.getByRole('button', { name: 'Sync now' }).waitFor();
  });

  test('are gone with the session, which ends with the daemon', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const daemon = await bed.daemon(inspectorOn).ready();
    const base = await pageOf(daemon);
    await lab.synced();
    const page = await visit(base);
    await logIn(page, bed);
    await page.goto(`${base}/fabrics/lab`);
    await page.getByRole('button', { name: 'Sync now' }).waitFor();
    await daemon.stop();
    await bed.daemon({ ...inspectorOn, FABRIC_SYNCD_INSPECTOR: new URL(base).host }).ready();
    await page.locator('.pulse-live').waitFor();
    await page.getByRole('button', { name: 'Sync now' }).waitFor({ state: 'detached' });
    expect(await page.getByRole('button', { name: 'Log out' }).count()).toBe(0);
    expect((await lab.runs()).map(({ trigger }) => trigger)).not.toContain('manual');
  });
});

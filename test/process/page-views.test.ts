// Every view of the page, with what there is to see of fabrics in every kind of trouble: in light and dark, wide and narrow
// axe finds nothing serious, and nothing has to be scrolled sideways.

import { writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { browserOfThisFile, needsChromium, seriousFaults, widerThanItsPlace } from '../support/browser.ts';
import { chromiumPath } from '../support/chromium.ts';
import { type Bed, bedsOfThisFile, type Patient } from '../support/process/bed.ts';
import { eventually } from '../support/process/daemon.ts';
import { idleFabrics, inspectorOn, logIn, pageOf, patient, traceOf } from '../support/process/inspector-page.ts';

const openBed = bedsOfThisFile();
const visit = browserOfThisFile();

const longName = 'customer-acme-emea-frankfurt-zone-3-production-fabric-east';
/** Colours are judged in both schemes, and what is too wide where there is the least room. */
const looks = [
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 1440 },
  { colorScheme: 'dark', width: 360 },
] as const;

async function expectSound(page: Page, what: string): Promise<void> {
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    // Drawn anew where the width asks for it: in the next frame.
    await expect.poll(() => widerThanItsPlace(page), { message: `${what}, ${width} px`, ...eventually }).toEqual([]);
    expect(await seriousFaults(page), `${what}, ${colorScheme}, ${width} px`).toEqual([]);
  }
}

/** @param views an address, and what is there when it is drawn */
async function expectSoundViews(
  page: Page,
  base: string,
  views: readonly (readonly [address: string, shows: string])[],
): Promise<void> {
  for (const [address, shows] of views) {
    await page.goto(base + address);
    await page.locator(shows).first().waitFor();
    await expectSound(page, address);
  }
}

/** A run that was asked for, when it is over. */
async function runOf(bed: Bed, fabric: Patient): Promise<string> {
  const before = (await fabric.runs()).length;
  await bed.cli('trigger', fabric.name);
  return vi.waitFor(async () => {
    const run = (await fabric.runs())[before];
    expect(run?.outcome ?? null).not.toBeNull();
    return run?.id ?? '';
  }, eventually);
}

function deleteAll({ cluster: { store } }: Patient, ...kinds: readonly string[]): void {
  for (const object of kinds.flatMap((kind) => store.all(store.kind(kind)))) store.delete(object);
}

describe.skipIf(chromiumPath === null)(`every view of the page${needsChromium}`, () => {
  test('of a fabric that is well: its runs field by field, a trace, its timeline, its settings', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600, description: `${longName} `.repeat(4) });
    const jaeger = { FABRIC_SYNCD_JAEGER_URL: 'http://jaeger.example:16686' };
    const base = await pageOf(await bed.daemon({ ...inspectorOn, ...jaeger }).ready());
    const { id: first } = await lab.synced();
    const { store } = lab.cluster;
    for (const object of store.all(store.kind('VPC'))) store.update(object, { annotations: { [longName]: longName } });
    const changed = await runOf(bed, lab);
    await bed.cli('fabric', 'set', 'lab', '--kinds=-Server');
    const left = await runOf(bed, lab);
    const trace = await traceOf(base, 'lab', left);
    const page = await visit(`${base}/fabrics/lab?run=${left}`);
    await page.getByText('Server no longer synced: 6 objects left the inventory').waitFor();
    expect(await page.getByText('left the inventory: its kind is no longer synced').count()).toBe(6);
    await page.locator(`tr[data-run="${left}"]`).getByText('6 objects no longer synced').waitFor();
    await expectSoundViews(page, base, [
      ['/fabrics/lab', '.chart-drawing'],
      [`/fabrics/lab?run=${first}`, '.change'],
      [`/fabrics/lab?run=${changed}`, '.fields'],
      [`/fabrics/lab?run=${left}&trace=${trace}`, '.waterfall'],
      ['/fabrics/lab?tab=timeline', '.timeline'],
      ['/fabrics/lab?tab=settings', '.counts'],
    ]);
    await page.getByText(/^\S+ \(.* ago\)$/).waitFor();
    await page.goto(`${base}/fabrics/lab?trace=${trace}`);
    expect(await page.getByRole('link', { name: 'Jaeger' }).getAttribute('href')).toBe(
      `http://jaeger.example:16686/trace/${trace}`,
    );
  });

  test('of fabrics in trouble, and what is asked before an act', async () => {
    const bed = await openBed({ env: patient });
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const hourly = { sync_interval: 3600 };
    const waits = await bed.fabric('waits', hourly);
    await waits.synced();
    const sick = await bed.fabric(longName, hourly);
    await sick.cluster.faults.set({ does: 'certificate', which: 'unknown_ca' });
    const odd = await bed.fabric('odd', hourly);
    await odd.cluster.faults.set({ does: 'poison' });
    const refused = await bed.fabric('refused', hourly);
    await writeFile(refused.tokenFile, 'not-the-token');
    const hangs = await bed.fabric('hangs', hourly);
    await hangs.cluster.faults.set({ does: 'hang', where: { kind: 'Switch' } });
    deleteAll(waits, 'Connection', 'VPC');
    await runOf(bed, waits);
    await sick.until(({ state }) => state === 'errored', 'errored');
    await refused.until(({ state }) => state === 'errored', 'errored');
    await odd.synced();
    await hangs.working();

    const page = await visit(base);
    await logIn(page, bed);
    await expectSoundViews(page, base, [
      ['/', 'tr.row-errored'],
      ['/timers', '.histogram'],
      [`/fabrics/${longName}`, '.why-trouble'],
      ['/fabrics/waits', '.why-trouble'],
      ['/fabrics/hangs', '.progress'],
      ['/fabrics/odd?tab=settings', '.quarantine'],
    ]);
    for (const [fabric, act] of [
      ['waits', 'Approve …'],
      [longName, 'Pause …'],
      ['hangs', 'Unlock …'],
      ['hangs', 'Cancel the run'],
    ] as const) {
      await page.goto(`${base}/fabrics/${fabric}`);
      await page
        .getByRole('group', { name: /^What to do/ })
        .getByRole('button', { name: act })
        .click();
      await page.getByRole('dialog').waitFor();
      await expectSound(page, act);
    }
    await page.goto(base);
    // Drawn: from then on it hears keys.
    await page.locator('tr.row').first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await expectSound(page, 'the keyboard shortcuts');
    // What an act came to, and what came of it, in a long line.
    await page.goto(`${base}/fabrics/${longName}`);
    await page.getByRole('button', { name: 'Retry now' }).click();
    await page.locator('.banner-good').waitFor();
    await expectSound(page, 'what an act came to');
  });

  test('of nothing: no fabric yet, none that fits, no such view, no link', async () => {
    const bed = await openBed();
    const base = await pageOf(await bed.daemon(inspectorOn).ready());
    const page = await visit(base);
    await page.getByText('No fabric yet').waitFor();
    await expectSound(page, 'an empty fleet');
    await idleFabrics(bed, 40);
    await page.locator('tr.row').first().waitFor();
    await expectSoundViews(page, base, [
      ['/', 'tr.row'],
      ['/?q=nobody', '.message'],
      ['/timers', '.timers-table'],
      ['/fabrics/fabric-0001', '.why-trouble'],
      ['/fabrics/fabric-0001?tab=settings', '.terms'],
      ['/fabrics/nobody', '.message [role=alert]'],
      ['/login', 'h1'],
      ['/login#not-a-token', '.message [role=alert]'],
      ['/nowhere', 'h1'],
    ]);
  });

  test('when the daemon is away: it is said wherever one looks, and nothing is said to be well', async () => {
    const bed = await openBed();
    const lab = await bed.fabric('lab', { sync_interval: 3600 });
    const daemon = await bed.daemon(inspectorOn).ready();
    const page = await visit(`${await pageOf(daemon)}/fabrics/lab`);
    await lab.synced();
    await page.locator('.why').getByText('All is well').waitFor();
    await daemon.stop();
    await page.locator('.why-trouble').getByText('The daemon does not answer. It said last: All is well').waitFor();
    await page.getByRole('alert').getByText('The daemon does not answer since').waitFor();
    await expectSound(page, 'a fabric without a daemon');
    await page.getByRole('link', { name: 'Fleet', exact: true }).first().click();
    await page.locator('#main').getByRole('heading', { name: 'Fleet' }).waitFor();
    await expectSound(page, 'a fleet without a daemon');
  });
});

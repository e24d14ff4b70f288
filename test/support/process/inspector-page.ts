// The inspector's page of a real daemon, for the tests that drive it with a browser.

import type { Page } from 'playwright-core';
import type { Bed } from './bed.ts';
import type { Daemon } from './daemon.ts';

/** Nothing ends a run or begins one but who asks for it: neither a retry nor the deadline of what hangs. */
export const patient = {
  FABRIC_SYNCD_BACKOFF_BASE: '1h',
  FABRIC_SYNCD_BACKOFF_CAP: '1h',
  FABRIC_SYNCD_LEASE_TTL: '30s',
  FABRIC_SYNCD_REQUEST_TIMEOUT: '4m',
};

/** Serves the page anywhere, and lets who has logged in act. */
export const inspectorOn = { FABRIC_SYNCD_INSPECTOR: '127.0.0.1:0', FABRIC_SYNCD_INSPECTOR_CONTROL: 'on' };

/** Where the page of a daemon is. */
export async function pageOf(daemon: Daemon): Promise<string> {
  const { url } = await daemon.says(/^the inspector is at /);
  return String(url);
}

/** A fabric's row in the fleet. */
export const row = (page: Page, fabric: string) => page.locator(`tr[data-fabric="${fabric}"]`);

/** Logs in by a link, as a person does; then it shows the fleet. */
export async function logIn(page: Page, bed: Bed): Promise<void> {
  const { url } = (await bed.cli('inspect', '--link', '--json')).json<{ url: string }>();
  await page.goto(url);
  await page.getByRole('button', { name: 'Log out' }).waitFor();
}

/** Fabrics that nobody has said a server of: rows, and nothing to sync. */
export async function idleFabrics(bed: Bed, count: number): Promise<void> {
  await bed.sql`insert into fabric (name) select 'fabric-' || lpad(n::text, 4, '0') from generate_series(1, ${count}::int) n`;
}

/** The trace of a run, as the daemon's own document names it. */
export async function traceOf(base: string, fabric: string, run: string): Promise<string> {
  const response = await fetch(`${base}/api/fabrics/${fabric}`);
  const { runs } = (await response.json()) as { runs: { id: string; trace_id: string | null }[] };
  const trace = runs.find(({ id }) => id === run)?.trace_id;
  if (!trace) throw new Error(`run ${run} of ${fabric} has no trace`);
  return trace;
}

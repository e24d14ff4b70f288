// Pages for tests of what only a browser can tell. Where none is installed the tests that need one are skipped, and their
// title says how to get it.

import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, expect } from 'vitest';
import { chromiumAdvice, chromiumPath, launchChromium } from './chromium.ts';

/** For the title of what is skipped without it. */
export const needsChromium = chromiumPath ? '' : ` (skipped: ${chromiumAdvice})`;

export interface VisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  readonly reducedMotion?: boolean;
  /** How far the browser's clock is ahead of the real one. */
  readonly clockAheadMs?: number;
}

/** A bound for what hangs. */
const patienceMs = 30_000;

/**
 * Call it at the top of a test file. Whatever a page asked for that is not of its own host, whatever it complained of,
 * and whatever it threw, fails the test that opened it.
 */
export function browserOfThisFile(): (url: string, options?: VisitOptions) => Promise<Page> {
  let browser: Promise<Browser> | null = null;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    expect(complaints.splice(0), 'what the browser complained of').toEqual([]);
  });
  afterAll(async () => (await browser)?.close());
  return async (url, options = {}) => {
    browser ??= launchChromium();
    const { width = 1440, height = 900, scheme = 'light', reducedMotion = false, clockAheadMs = 0 } = options;
    const context = await (await browser).newContext({
      viewport: { width, height },
      colorScheme: scheme,
      reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
      locale: 'en-GB',
    });
    contexts.push(context);
    context.setDefaultTimeout(patienceMs);
    if (clockAheadMs !== 0) await context.addInitScript(setClock, clockAheadMs);
    const page = await context.newPage();
    const host = new URL(url).host;
    page.on('request', (request) => {
      if (new URL(request.url()).host !== host) complaints.push(`it asked another host: ${request.url()}`);
    });
    page.on('pageerror', (error) => complaints.push(`it threw: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      // That nobody answers while a daemon is away, and that a daemon refuses, is what the test wants; a file of the page
      // that is missing is not.
      const asksDaemon = URL.parse(message.location().url)?.pathname.startsWith('/api/') === true;
      const wanted = asksDaemon ? /net::ERR_|status of (?:401|404|409|50\d)/ : /net::ERR_/;
      if (message.type() === 'error' && !wanted.test(message.text())) complaints.push(message.text());
    });
    await page.goto(url);
    return page;
  };
}

/** Runs in the page, before anything of it does. */
function setClock(aheadMs: number): void {
  const real = Date.now;
  Date.now = () => real() + aheadMs;
}

/** What axe finds that is serious or worse, one line each, with the element. */
export async function seriousFaults(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>(`'axe' in globalThis`))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run({
      resultTypes: ['violations'],
    });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, help, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html} ${failureSummary}`),
      );
  });
}

/** What has to be scrolled sideways to be seen whole: the page itself, or something in it. */
export function widerThanItsPlace(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`[...document.querySelectorAll('html, main *, dialog, dialog *')]
    .filter((element) => element.localName === 'html' || /auto|scroll/.test(getComputedStyle(element).overflowX))
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => element.localName + '.' + element.className + ': ' + element.scrollWidth + ' px')`);
}

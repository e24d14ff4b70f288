// A real browser without a window: Debian's Chromium, driven by playwright-core.

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where it is now; null where there is none. */
export const findChromium = (): string | null => places.find((path) => existsSync(path)) ?? null;

/** Where it was when this process began; null where there was none. */
export const chromiumPath: string | null = findChromium();

/** How to get it. */
export const chromiumAdvice = 'no Chromium; apt-get install -y chromium';

/** @throws Error where there is none */
export function launchChromium(): Promise<Browser> {
  if (chromiumPath === null) throw new Error(`there is ${chromiumAdvice}`);
  // Chromium's own sandbox does not work for root, as whom containers and CI run.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: chromiumPath, args });
}

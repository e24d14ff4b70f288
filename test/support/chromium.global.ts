// The browser of a test run: where none is found, Debian's is installed if it may be, as the demo does with Redis. Else its
// tests are skipped, and say so.

import { installDebianPackage, mayInstallDebianPackages } from '../../src/demo/servers/debian-package.ts';
import { findChromium } from './chromium.ts';

/** A hundred packages, of which some are large. */
const installMsMax = 600_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

export default async function setup(): Promise<void> {
  if (findChromium() !== null || !(await mayInstallDebianPackages())) return;
  say('No Chromium was found: installing Debian’s, for the tests of the inspector’s page.');
  await installDebianPackage('chromium', { withinMs: installMsMax, say });
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { daemonEnvironment, daemonNodeFlags } from '../../src/demo/daemon-process.ts';
import { parseDuration } from '../../src/duration.ts';
import { settings } from '../../src/settings.ts';

const unit = readFileSync(new URL('../../src/systemd/fabric-syncd.service', import.meta.url), 'utf8');

/** Every value of a key, in order. */
const values = (key: string): string[] =>
  [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1] ?? '');
const value = (key: string): string => {
  const [only, ...more] = values(key);
  expect(more).toEqual([]);
  return only ?? '';
};

const folder = mkdtempSync(join(tmpdir(), 'fabric-syncd-unit-'));
afterAll(() => rmSync(folder, { recursive: true }));
/** The unit as installed: its program is there. Anything else that verify says is a fault of the unit. */
const installed = join(folder, 'fabric-syncd.service');
writeFileSync(installed, unit.replace(/^(ExecStart(?:Pre)?)=fabric-syncd /gm, '$1=/bin/true '));

const analyze = (...args: string[]) => spawnSync('systemd-analyze', ['--no-pager', ...args], { encoding: 'utf8' });
const absent = analyze('--version').status !== 0;

test('the demo and the benchmark start the daemon with the same flags of Node, and the same environment', () => {
  const environment = { NODE_OPTIONS: daemonNodeFlags.join(' '), ...daemonEnvironment };
  expect(values('Environment')).toEqual(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
});

describe.skipIf(absent)(`what systemd says of the unit${absent ? ' (skipped: no systemd-analyze)' : ''}`, () => {
  test('it has nothing to say against it', () => {
    const { status, stderr } = analyze('verify', installed);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('it would say so: a misspelt key is told', () => {
    const misspelt = join(folder, 'misspelt.service');
    writeFileSync(misspelt, readFileSync(installed, 'utf8').replace('WatchdogSec', 'WatchdogSeconds'));
    expect(analyze('verify', misspelt).stderr).toContain('WatchdogSeconds');
  });

  test('its exposure is at most 1.5', () => {
    const { status, stdout } = analyze('security', '--offline=true', '--threshold=15', installed);
    expect(Number(/Overall exposure level[^:]*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(1.5);
    expect(status).toBe(0);
  });
});

describe('the unit and the program agree', () => {
  test('it stops within the grace period, the abort and the margin that its comment adds up', () => {
    const [, comment = ''] = /# (.*)\nTimeoutStopSec=/.exec(unit) ?? [];
    const seconds = [...comment.matchAll(/(\d+) s\b/g)].map((match) => Number(match[1]));
    expect(seconds[0]).toBe(parseDuration(settings.gracePeriod.fallback) / 1_000);
    expect(Number(value('TimeoutStopSec'))).toBe(seconds.reduce((sum, each) => sum + each, 0));
  });

  test('the credentials that it loads are those that the program reads', () => {
    // One that not everybody has is named there, and switched off.
    const loaded = [...values('LoadCredential'), ...values('#LoadCredential')].map((each) => each.split(':')[0]);
    const read = Object.values(settings).flatMap((setting) => setting.credential ?? []);
    expect(loaded.sort()).toEqual(['fabric-syncd.key', ...read].sort());
  });

  test('what is not started again is what no restart mends', () => {
    const { usage, schema_newer, settings: wrong } = exitCodes;
    const kept = [usage.code, schema_newer.code, wrong.code];
    expect(value('RestartPreventExitStatus')).toBe(kept.join(' '));
  });

  test('it tells systemd when it is ready, and is checked before it starts', () => {
    expect(value('Type')).toBe('notify');
    expect(value('NotifyAccess')).toBe('all');
    expect(value('ExecStartPre')).toBe('fabric-syncd check-config');
    expect(value('ExecStart')).toBe('fabric-syncd run');
    expect(value('RuntimeDirectory')).toBe('fabric-syncd');
  });
});

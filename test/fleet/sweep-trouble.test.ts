// What `health` and the metrics say of Postgres is what the last pass of the sweep found, whoever asked for it.

import { expect, test } from 'vitest';
import { FabricFailure } from '../../machines/fabric/failure.ts';
import { memoryDaemon, memoryPlace, pass, quiet } from '../support/memory-daemon.ts';

const ready = async () => {
  const place = memoryPlace();
  place.database.add('7');
  const daemon = memoryDaemon(place);
  const go = () => {
    place.database.before = (act) => {
      if (act === 'interruptExpired') throw new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres is gone');
    };
  };
  const comeBack = () => {
    place.database.before = () => {};
  };
  const told = (text: string) => daemon.lines.filter((line) => line.includes(text)).length;
  return { ...place, daemon, go, comeBack, told };
};

test('a pass that was asked for says that Postgres is away, and one that was asked for that it is back', async () => {
  const { daemon, go, comeBack, told } = await ready();
  await daemon.start();
  expect(daemon.sweep.trouble).toBeNull();
  go();
  await expect(daemon.sweep.now('reload')).rejects.toThrow('Postgres is gone');
  await expect(daemon.sweep.now('reload')).rejects.toThrow('Postgres is gone');
  expect(daemon.sweep.trouble).toBe('DATABASE_UNAVAILABLE: Postgres is gone');
  expect(told('the sweep failed, it is tried again: Postgres is gone')).toBe(1);
  comeBack();
  await daemon.sweep.now('reload');
  expect(daemon.sweep.trouble).toBeNull();
  expect(told('Postgres answers again')).toBe(1);
});

test('what a scheduled pass found is taken back by one that was asked for, and the other way round', async () => {
  const { daemon, clock, go, comeBack } = await ready();
  await daemon.start();
  go();
  await pass(clock, 5_000);
  expect(daemon.sweep.trouble).toContain('Postgres is gone');
  comeBack();
  await daemon.sweep.now('reload');
  expect(daemon.sweep.trouble).toBeNull();
  go();
  await daemon.sweep.now('reload').catch(() => {});
  comeBack();
  await pass(clock, 5_000);
  await quiet();
  expect(daemon.sweep.trouble).toBeNull();
});

test('a start that fails is told to whoever waits for it, and no line calls it a sweep that is tried again', async () => {
  const { daemon, go, comeBack, told } = await ready();
  go();
  await expect(daemon.sweep.start()).rejects.toThrow('Postgres is gone');
  expect(told('the sweep failed')).toBe(0);
  comeBack();
  await daemon.start();
  expect(daemon.sweep.trouble).toBeNull();
  expect(told('did not agree with Postgres')).toBe(0);
});

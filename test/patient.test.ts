// A start that is tried again while the server below is away, and no longer than that.

import { expect, test } from 'vitest';
import { FabricFailure } from '../machines/fabric/failure.ts';
import { patient } from '../src/patient.ts';

const away = new FabricFailure('DATABASE_UNAVAILABLE', 'Postgres does not answer');
const refused = new FabricFailure('DATABASE_REFUSED', 'no such table');

/** A service whose starts fail with these, one after the other, and then succeed. */
function trial(failures: readonly Error[], wait: () => Promise<void> = async () => {}) {
  const told: string[] = [];
  const left = [...failures];
  const service = {
    name: 'trial',
    async start() {
      told.push('start');
      const failure = left.shift();
      if (failure) throw failure;
    },
    async stop() {
      told.push('stop');
    },
  };
  const worthAnother = (cause: unknown) => FabricFailure.from(cause).code === 'DATABASE_UNAVAILABLE';
  const waiting = async () => {
    told.push('wait');
    await wait();
  };
  return { told, service: patient(service, { worthAnother, wait: waiting }) };
}

test('it starts when the server is back, and what each failed start left is stopped first', async () => {
  const { told, service } = trial([away, away]);
  await service.start();
  expect(told).toEqual(['start', 'stop', 'wait', 'start', 'stop', 'wait', 'start']);
  await service.stop();
  expect(told.at(-1)).toBe('stop');
});

test('what waiting does not mend ends it at once, with nothing left running', async () => {
  const { told, service } = trial([refused]);
  await expect(service.start()).rejects.toBe(refused);
  expect(told).toEqual(['start', 'stop']);
});

test('who is told to stop while it waits stops waiting', async () => {
  const reason = new Error('SIGTERM');
  const { told, service } = trial([away], async () => {
    throw reason;
  });
  await expect(service.start()).rejects.toBe(reason);
  expect(told).toEqual(['start', 'stop', 'wait']);
});

import { describe } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { MemoryDatabase } from '../support/memory-database.ts';
import { memoryOperator, removeFabric, setFabric } from '../support/memory-operator.ts';
import { memoryStore } from '../support/memory-store.ts';
import { storeSuite } from './store.suite.ts';

describe('the rows in memory, as tests and the simulator use them', () => {
  storeSuite(async () => {
    const database = new MemoryDatabase(systemClock);
    return {
      store: (daemon) => memoryStore(database, daemon),
      operator: memoryOperator(database),
      add: async () => database.add(String(database.rows.size + 1)).fabricId,
      set: async (fabricId, values) => void setFabric(database, fabricId, values),
      remove: async (fabricId) => void removeFabric(database, fabricId),
      giveRunTo: async (fabricId, daemon) => {
        const row = database.row(fabricId);
        Object.assign(row, { leaseHolder: daemon });
        Object.assign(database.run(row.runId) ?? {}, { daemon });
      },
      now: async () => database.now(),
      close: async () => {},
    };
  });
});

import { describe, inject } from 'vitest';
import { postgresFabricBook } from '../../src/postgres/operator/fabric-book.ts';
import { postgresOperator } from '../../src/postgres/operator/operator.ts';
import { addFabric, openStorePlace } from '../support/fabric-store.ts';
import { storeSuite } from './store.suite.ts';

describe('the rows in Postgres', () => {
  storeSuite(async () => {
    const place = await openStorePlace({ url: inject('databaseUrl'), template: inject('databaseTemplate') });
    const { sql, database } = place;
    const book = postgresFabricBook(database);
    const stores = new Map<string, ReturnType<typeof place.another>>();
    return {
      store(daemon) {
        const store = stores.get(daemon) ?? place.another(daemon);
        stores.set(daemon, store);
        return store;
      },
      operator: postgresOperator(database),
      add: () => addFabric(sql),
      set: async (fabricId, values) => void (await book.set(fabricId, values, null)),
      remove: async (fabricId) => void (await book.remove(fabricId)),
      async giveRunTo(fabricId, daemon) {
        await sql`update fabric_cycle set lease_holder = ${daemon} where fabric_id = ${fabricId}::bigint`;
        await sql`update fabric_run set daemon = ${daemon} where fabric_id = ${fabricId}::bigint and outcome is null`;
      },
      async now() {
        const [row] = await sql<{ ms: number }[]>`select floor(extract(epoch from now()) * 1000)::float8 as ms`;
        return row?.ms ?? Number.NaN;
      },
      close: () => place.close(),
    };
  });
});

import type { FabricBook } from '../../ports/fabric-settings.ts';
import type { Database } from '../connect.ts';
import { addFabric } from './add-fabric.ts';
import { belongings } from './belongings.ts';
import { listFabrics } from './list-fabrics.ts';
import { removeFabric, removeTimeoutMs } from './remove-fabric.ts';
import { resealFabric } from './reseal-fabric.ts';
import { setFabric } from './set-fabric.ts';
import { showFabric } from './show-fabric.ts';

/** How much later than the server's own bound ours is. */
const marginMs = 5_000;

/** Every act with its deadline, and with what goes wrong told in our words. */
export function postgresFabricBook(database: Database): FabricBook {
  const { act, transact, statementTimeoutMs } = database;
  // Two or three statements, of which one at most waits for somebody.
  const bounds = { deadlineMs: statementTimeoutMs + marginMs };
  return {
    list: () => act('list the fabrics', listFabrics),
    show: (fabricId) => act('show the fabric', (sql) => showFabric(sql, fabricId)),
    add: (values, credential) => transact('add the fabric', (tx) => addFabric(tx, values, credential), bounds),
    set: (fabricId, values, credential) =>
      transact('change the fabric', (tx) => setFabric(tx, fabricId, values, credential), bounds),
    reseal: (fabricId, before, after) =>
      act('seal the credential anew', (sql) => resealFabric(sql, fabricId, before, after)),
    belongings: (fabricId) => act('count what the fabric has', (sql) => belongings(sql, fabricId)),
    remove: (fabricId) =>
      transact('remove the fabric', (tx) => removeFabric(tx, fabricId), { deadlineMs: removeTimeoutMs + marginMs }),
  };
}

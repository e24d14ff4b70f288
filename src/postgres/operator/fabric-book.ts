import type { FabricBook } from '../../ports/fabric-settings.ts';
import type { Database } from '../connect.ts';
import { addFabric } from './add-fabric.ts';
import { belongings } from './belongings.ts';
import { listFabrics } from './list-fabrics.ts';
import { removeFabric, removeTimeoutMs } from './remove-fabric.ts';
import { resealFabric } from './reseal-fabric.ts';
import { setFabric } from './set-fabric.ts';
import { showFabric } from './show-fabric.ts';

/** Every act with its deadline, and with what goes wrong told in our words. */
export function postgresFabricBook(database: Database): FabricBook {
  return {
    list: () => database.act('list the fabrics', listFabrics),
    show: (fabricId) => database.act('show the fabric', (sql) => showFabric(sql, fabricId)),
    add: (values, credential) => database.act('add the fabric', (sql) => addFabric(sql, values, credential)),
    set: (fabricId, values, credential) =>
      database.act('change the fabric', (sql) => setFabric(sql, fabricId, values, credential)),
    reseal: (fabricId, before, after) =>
      database.act('seal the credential anew', (sql) => resealFabric(sql, fabricId, before, after)),
    belongings: (fabricId) => database.act('count what the fabric has', (sql) => belongings(sql, fabricId)),
    remove: (fabricId) => database.act('remove the fabric', (sql) => removeFabric(sql, fabricId), removeTimeoutMs),
  };
}

import type { Sql } from 'postgres';
import type { FabricBook } from '../../ports/fabric-settings.ts';
import { addFabric } from './add-fabric.ts';
import { belongings } from './belongings.ts';
import { listFabrics } from './list-fabrics.ts';
import { removeFabric } from './remove-fabric.ts';
import { setFabric } from './set-fabric.ts';
import { showFabric } from './show-fabric.ts';

export function postgresFabricBook(sql: Sql): FabricBook {
  return {
    list: () => listFabrics(sql),
    show: (fabricId) => showFabric(sql, fabricId),
    add: (values, credential) => addFabric(sql, values, credential),
    set: (fabricId, values, credential) => setFabric(sql, fabricId, values, credential),
    belongings: (fabricId) => belongings(sql, fabricId),
    remove: (fabricId) => removeFabric(sql, fabricId),
  };
}

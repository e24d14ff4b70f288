import type { Database } from '../../postgres/connect.ts';
import { type Discrepancy, discrepancies } from '../../postgres/operator/discrepancies.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** A sweep of any daemon ends an expired lease within seconds. */
const leaseOverForMs = 60_000;

const unswept =
  'A running daemon mends this within seconds: is one running here? Look at its log, or run: fabric-syncd bootstrap';
const meddled =
  'Somebody wrote to tables that are the daemon’s own, or restored them in part: see fabric-syncd history NAME.';

/** Does what the rows say of each fabric fit together? @throws FabricFailure where Postgres does not answer */
export async function checkRows(database: Database): Promise<readonly Finding[]> {
  const found = await database.act('compare its rows', (sql) => discrepancies(sql, leaseOverForMs));
  if (found.length === 0) return [ok('rows', 'what they say of each fabric fits together')];
  return found.map(findingOf);
}

function findingOf({ fabric, kind, values }: Discrepancy): Finding {
  const isMended = kind === 'undue' || kind === 'stuck';
  const finding = isMended ? warn : fail;
  return finding('rows', `${fabric}: ${values}`, (isMended ? unswept : meddled).replace('NAME', fabric));
}

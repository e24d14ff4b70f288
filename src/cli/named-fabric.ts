import type { FabricName, Operator, StatusRow } from '../ports/operator.ts';
import { CliFailure } from './cli-failure.ts';

/** The fabric that a person named or numbered. */
export async function namedFabric(operator: Pick<Operator, 'find'>, nameOrNumber: string): Promise<FabricName> {
  const found = await operator.find(nameOrNumber);
  if (found) return found;
  throw new CliFailure('not_found', 'NO_SUCH_FABRIC', `there is no fabric "${nameOrNumber}"`, {
    hint: 'See them all: fabric-syncd status.',
  });
}

/** Both rows of that fabric, with the database's time at which they were read. */
export async function namedRow(
  operator: Pick<Operator, 'find' | 'status'>,
  nameOrNumber: string,
): Promise<{ row: StatusRow; nowMs: number }> {
  const { fabricId, name } = await namedFabric(operator, nameOrNumber);
  const { fabrics, nowMs } = await operator.status(fabricId);
  const [row] = fabrics;
  if (row) return { row, nowMs };
  throw new CliFailure('not_found', 'NO_SUCH_FABRIC', `the fabric "${name}" was removed just now`);
}

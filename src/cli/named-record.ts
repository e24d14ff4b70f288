import type { FabricRecord } from '../ports/fabric-settings.ts';
import { CliFailure } from './cli-failure.ts';
import type { Settings } from './database.ts';
import { namedFabric } from './named-fabric.ts';

/** The settings of the fabric that a person named or numbered. */
export async function namedRecord(
  { book, find }: Pick<Settings, 'book' | 'find'>,
  nameOrNumber: string,
): Promise<FabricRecord> {
  const { fabricId, name } = await namedFabric({ find }, nameOrNumber);
  const record = await book.show(fabricId);
  if (record) return record;
  throw new CliFailure('not_found', 'NO_SUCH_FABRIC', `the fabric "${name}" was removed just now`);
}

import type { Sql } from 'postgres';

export interface FabricSeal {
  readonly name: string;
  /** Null where the credential is referred to, or there is none. */
  readonly sealed: Uint8Array | null;
}

/** Of every fabric, what its credential is sealed in. Also for an older schema, and for a database without one: none. */
export async function fabricSeals(sql: Sql): Promise<readonly FabricSeal[]> {
  const [schema] = await sql<{ isThere: boolean }[]>`select to_regclass('fabric') is not null as "isThere"`;
  if (!schema?.isThere) return [];
  return sql<FabricSeal[]>`select name, credential_sealed as sealed from fabric order by id`;
}

import type { Database } from './connect.ts';

const deadlineMs = 3_000;

/** Throws `DATABASE_UNAVAILABLE` when it does not answer within the deadline. */
export async function ping(database: Database): Promise<void> {
  await database.act('answer', (sql) => sql`select 1`, deadlineMs);
}

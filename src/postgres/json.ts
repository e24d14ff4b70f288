import type { Fragment, Sql } from 'postgres';

/**
 * A value as `jsonb`. Postgres stores neither NUL nor half a surrogate pair, and a failure's facts may quote what a
 * fabric answered: they become the replacement character here, so that a strange answer can still be written down.
 */
export function jsonb(sql: Sql, value: unknown): Fragment {
  return sql`${value === null || value === undefined ? null : JSON.stringify(value, storable)}::text::jsonb`;
}

function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value;
}

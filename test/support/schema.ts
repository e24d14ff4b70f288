// The schema in words, from the catalogue: the same on every version of PostgreSQL, and readable in a review.

import type { Sql } from 'postgres';

export async function describeSchema(sql: Sql): Promise<string> {
  const columns = await sql<{ table: string; line: string }[]>`
    select c.relname as table,
           format('  %s %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                  case when a.attnotnull then ' not null' else '' end,
                  case when a.attidentity = 'a' then ' generated always as identity' else '' end,
                  coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
     order by c.relname, a.attnum`;
  // Newer servers also list "not null" as constraints: the columns above say it already.
  const constraints = await sql<{ table: string; line: string }[]>`
    select conrelid::regclass::text as table, format('  constraint %s %s', conname, pg_get_constraintdef(oid)) as line
      from pg_constraint
     where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'p', 'u')
     order by conrelid::regclass::text, conname`;
  const indexes = await sql<{ line: string }[]>`
    select indexdef as line from pg_indexes where schemaname = 'public' order by tablename, indexname`;
  const functions = await sql<{ line: string }[]>`
    select pg_get_functiondef(oid) as line from pg_proc where pronamespace = 'public'::regnamespace order by proname`;
  const triggers = await sql<{ line: string }[]>`
    select pg_get_triggerdef(t.oid) as line
      from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where not t.tgisinternal and c.relnamespace = 'public'::regnamespace
     order by c.relname, t.tgname`;

  const tables = [...new Set(columns.map(({ table }) => table))].map((table) => {
    const of = (rows: readonly { table: string; line: string }[]) =>
      rows.filter((row) => row.table === table).map(({ line }) => line);
    return `${table}\n${[...of(columns), ...of(constraints)].join('\n')}\n`;
  });
  const rest = [...indexes, ...functions, ...triggers].map(({ line }) => line.trimEnd());
  return `-- The schema after every migration, as a test reads it from the catalogue.\n\n${tables.join('\n')}\n${rest.join('\n')}\n`;
}

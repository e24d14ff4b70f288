// What must hold of a fabric at any moment, read off Postgres and Redis alone: nothing of the product is believed here.
//
//   a. A fabric that may sync by itself has exactly one due time, and one timer that says it; any other has none.
//   b. Epochs of a fabric strictly grow, from claim to claim and from commit to commit; no two commits share one.
//   c. The inventory of a kind is the result of exactly one complete list.
//   d. No deletion from an incomplete list.
//   e. `last_sync` differs from the start of the last committed run only while a lease is held.
//   f. `syncing` implies a live lease.
//   g. No secret is in any row.
//   s. What the rows say of a fabric is true: status, errors in one line, counts.
//
// `a` speaks of two servers that are written one after the other: it must come true soon, the others are always true.

import type { Row, Sql, TransactionSql } from 'postgres';
import { expect, vi } from 'vitest';
import { meddler } from './redis.ts';

export interface InvariantSources {
  readonly sql: Sql;
  /** Null: the mode without Redis. */
  readonly redis: { readonly url: string; readonly prefix: string } | null;
  /** What must be in no row. */
  readonly secrets?: readonly string[];
}

/** Far above what a daemon that works needs to bring Redis and Postgres together. */
const togetherWithinMs = 10_000;

/** Throws with everything that is violated. */
export async function expectInvariants(sources: InvariantSources): Promise<void> {
  expect(await violations(sources), 'violated invariants').toEqual([]);
  await vi.waitFor(async () => expect(await timerViolations(sources), 'due times and timers').toEqual([]), {
    timeout: togetherWithinMs,
    interval: 100,
  });
}

/** b to g and s, of one moment: `<letter>. <fabric>: <what>`. */
export async function violations({ sql, secrets = [] }: InvariantSources): Promise<string[]> {
  return sql.begin('isolation level repeatable read read only', async (tx) => {
    const found: string[] = [];
    for (const [letter, says, look] of looks) {
      for (const { fabric, what } of await look(tx)) found.push(`${letter}. ${fabric}: ${says} (${what})`);
    }
    return [...found, ...(await leaks(tx, secrets))];
  }) as Promise<string[]>;
}

interface Violation extends Row {
  readonly fabric: string;
  readonly what: string;
}

type Look = (tx: TransactionSql) => Promise<readonly Violation[]>;

const committed = (tx: TransactionSql) => tx`('complete', 'partial', 'awaiting_approval')`;

/** How a run answered for the kind of `fabric_resource res`. */
const answered = (tx: TransactionSql) =>
  tx`coalesce(r.kinds -> res.kind, r.kinds -> (res.kind || '.' || res.api_group)) ->> 'answer'`;

const looks: readonly (readonly [letter: string, says: string, look: Look])[] = [
  [
    'b',
    'an epoch did not grow',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('run %s has %s after %s', r.id, r.epoch, r.before) as what
        from (select *, lag(epoch) over (partition by fabric_id order by id) as before from fabric_run
               union all
              select *, lag(epoch) over (partition by fabric_id order by finished_at, id) as before from fabric_run
               where outcome in ${committed(tx)}) r
        join fabric f on f.id = r.fabric_id
       where r.epoch <= r.before`,
  ],
  [
    'b',
    'the newest epoch is older than a run',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('%s, run %s has %s', c.epoch, r.id, r.epoch) as what
        from fabric_run r join fabric_cycle c using (fabric_id) join fabric f on f.id = r.fabric_id
       where r.epoch > c.epoch or (r.outcome is null and (r.epoch <> c.epoch or r.id is distinct from c.run_id))`,
  ],
  [
    'b',
    'a run that did not commit has changes',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('run %s, %s', r.id, coalesce(r.outcome, 'open')) as what
        from fabric_run r join fabric f on f.id = r.fabric_id
       where coalesce(r.outcome, 'open') not in ${committed(tx)}
         and exists (select from fabric_change ch where ch.run_id = r.id)`,
  ],
  [
    'c',
    'the objects of a kind are not those of its last complete list',
    (tx) => tx<Violation[]>`
      with lists as (
        select distinct on (r.fabric_id, k.label) r.fabric_id, r.id, k.label,
               (k.report ->> 'listed')::int as listed, (k.report ->> 'quarantined')::int as quarantined
          from fabric_run r, jsonb_each(r.kinds) k(label, report)
         where r.outcome in ${committed(tx)} and k.report ->> 'answer' in ('complete', 'unwanted')
         order by r.fabric_id, k.label, r.id desc),
      compared as (
        select l.*, c.approval -> 'deletions' ->> l.label as held,
               (select count(*) from fabric_resource res
                 where res.fabric_id = l.fabric_id and res.deleted_at is null
                   and l.label in (res.kind, res.kind || '.' || res.api_group)) as live,
               (select count(*) from fabric_resource res
                  join fabric_quarantine q using (fabric_id, api_group, kind, namespace, name)
                 where res.fabric_id = l.fabric_id and res.deleted_at is null
                   and l.label in (res.kind, res.kind || '.' || res.api_group)) as kept
          from lists l join fabric_cycle c using (fabric_id))
      select f.name as fabric,
             format('%s: %s live, run %s listed %s, %s not storable, of which %s kept, %s held',
                    x.label, x.live, x.id, x.listed, x.quarantined, x.kept, coalesce(x.held, '0')) as what
        from compared x join fabric f on f.id = x.fabric_id
       where x.live <> x.listed - x.quarantined + x.kept + coalesce(x.held::int, 0)`,
  ],
  [
    'c',
    'an object was written by a run whose list was not complete',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('%s %s by run %s', res.kind, res.name, res.changed_run) as what
        from fabric_resource res join fabric f on f.id = res.fabric_id
       where not exists (
         select from fabric_run r
          where r.id = res.changed_run and r.outcome in ${committed(tx)}
            and (${answered(tx)} = 'complete' or res.deleted_at is not null and ${answered(tx)} = 'unwanted'))`,
  ],
  [
    'd',
    'a deletion is not from a complete list',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('%s %s by run %s', res.kind, res.name, ch.run_id) as what
        from fabric_change ch
        join fabric_resource res on res.id = ch.resource_id
        join fabric f on f.id = ch.fabric_id
       where ch.change = 'deleted' and not exists (
         select from fabric_run r
          where r.id = ch.run_id and r.outcome in ${committed(tx)} and ${answered(tx)} = 'complete')`,
  ],
  [
    'd',
    'an object of a kind that is wanted is not synced any more',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('%s %s by run %s', res.kind, res.name, ch.run_id) as what
        from fabric_change ch
        join fabric_resource res on res.id = ch.resource_id
        join fabric f on f.id = ch.fabric_id
       where ch.change = 'unsynced' and not exists (
         select from fabric_run r
          where r.id = ch.run_id and r.outcome in ${committed(tx)} and ${answered(tx)} = 'unwanted')`,
  ],
  [
    'd',
    'a run counts other changes than it recorded',
    (tx) => tx<Violation[]>`
      select f.name as fabric,
             format('run %s: +%s ~%s -%s, recorded %s', r.id, r.created, r.updated, r.deleted, x.recorded) as what
        from fabric_run r join fabric f on f.id = r.fabric_id,
             lateral (select count(*) filter (where ch.change <> 'unsynced') as recorded, count(*) filter (where ch.change = 'deleted') as deleted
                        from fabric_change ch where ch.run_id = r.id) x
       where r.outcome is not null and (r.created + r.updated + r.deleted <> x.recorded or r.deleted <> x.deleted)`,
  ],
  [
    'e',
    'last_sync is not the start of the last committed run',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('last_sync %s, previous %s, committed %s, lease of %s',
               coalesce(f.last_sync::text, 'none'), coalesce(c.previous_sync::text, 'none'),
               coalesce(r.started_at::text, 'none'), coalesce(c.lease_holder, 'nobody')) as what
        from fabric f join fabric_cycle c on c.fabric_id = f.id
        left join lateral (select started_at from fabric_run
                            where fabric_id = f.id and outcome in ${committed(tx)} order by id desc limit 1) r on true
       where case when c.lease_holder is null then f.last_sync else c.previous_sync end is distinct from r.started_at`,
  ],
  [
    'f',
    'it says syncing without a live lease',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('%s, state %s, lease until %s', f.sync_status, c.state, c.lease_until) as what
        from fabric f join fabric_cycle c on c.fabric_id = f.id
       where (f.sync_status = 'syncing' or c.state = 'syncing') and coalesce(c.lease_until <= now(), true)`,
  ],
  [
    's',
    'sync_status is not what the last run says',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('%s, state %s, last run %s', f.sync_status, c.state, r.outcome) as what
        from fabric f join fabric_cycle c on c.fabric_id = f.id
        left join lateral (select outcome from fabric_run
                            where fabric_id = f.id and outcome is not null order by id desc limit 1) r on true
       where case
               when c.lease_holder is not null then f.sync_status <> 'syncing'
               when r.outcome is null then f.sync_status <> 'never_synced'
               when r.outcome = 'complete' then f.sync_status <> 'in_sync'
               when r.outcome in ('partial', 'awaiting_approval') then f.sync_status <> 'out_of_sync'
               when r.outcome in ('failed', 'interrupted') then f.sync_status <> 'error'
               else f.sync_status = 'syncing'
             end
          or (c.state in ('backoff', 'errored') and f.sync_status <> 'error')`,
  ],
  [
    's',
    'an error is missing, stale, or not one line',
    (tx) => tx<Violation[]>`
      select name as fabric, format('%s: %L; %s: %L', sync_status, sync_error, connection_status, connection_error) as what
        from fabric
       where sync_error ~ '[[:cntrl:]]' or connection_error ~ '[[:cntrl:]]'
          or (sync_status in ('in_sync', 'never_synced') and sync_error <> '')
          or (sync_status in ('error', 'out_of_sync') and sync_error = '')
          or (connection_status in ('unknown', 'connected')) <> (connection_error = '')`,
  ],
  [
    's',
    'the counts are not those of the inventory',
    (tx) => tx<Violation[]>`
      select f.name as fabric, format('%s of %s; counted %s of %s', f.counts, f.cached_crd_count, t.counts, t.total) as what
        from fabric f, lateral (
               select coalesce(sum(n), 0) as total, coalesce(jsonb_object_agg(kind, n), '{}') as counts
                 from (select kind, count(*) as n from fabric_resource
                        where fabric_id = f.id and deleted_at is null group by kind) k) t
       where f.counts <> t.counts or f.cached_crd_count <> t.total
          or f.vpcs_count <> coalesce((t.counts ->> 'VPC')::int, 0)
          or f.connections_count <> coalesce((t.counts ->> 'Connection')::int, 0)
          or f.servers_count <> coalesce((t.counts ->> 'Server')::int, 0)
          or f.switches_count <> coalesce((t.counts ->> 'Switch')::int, 0)`,
  ],
];

const tables = ['fabric', 'fabric_cycle', 'fabric_run', 'fabric_resource', 'fabric_change', 'fabric_quarantine'];

async function leaks(tx: TransactionSql, secrets: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of tables) {
    for (const secret of secrets) {
      const rows = await tx`select from ${tx(table)} t where position(${secret} in t::text) > 0`;
      if (rows.length > 0) found.push(`g. a secret is in ${table}`);
    }
  }
  return found;
}

/** `a`, of two moments: rows, then timers. */
export async function timerViolations({ sql, redis }: InvariantSources): Promise<string[]> {
  const rows = await sql<{ id: string; name: string; may: boolean; running: boolean; due: number | null }[]>`
    select f.id::text, f.name, coalesce(c.lease_until > now(), false) as running,
           floor(extract(epoch from c.due_at) * 1000)::float8 as due,
           f.sync_enabled and f.scheduler_enabled and f.sync_interval > 0
             and (c.paused_at is null or c.paused_until <= now())
             and f.kubernetes_server <> '' and (f.credential_ref <> '' or f.credential_sealed is not null) as may
      from fabric f join fabric_cycle c on c.fabric_id = f.id`;
  const timers = redis && (await timersIn(redis));
  const known = new Set(rows.map(({ id }) => id));
  const orphans = [...(timers?.keys() ?? [])].filter((id) => !known.has(id)).map((id) => `a. ${id}: a timer of nobody`);
  return [
    ...orphans,
    ...rows.flatMap(({ id, name, may, running, due }) => {
      if (may !== (due !== null) && !running) return [`a. ${name}: may sync: ${may}, due: ${due}`];
      // What stands in Redis while it runs is replaced when it ends.
      if (!timers || running || timers.get(id) === (due ?? undefined)) return [];
      return [`a. ${name}: due at ${due}, its timer says ${timers.get(id) ?? 'nothing'}`];
    }),
  ];
}

/** What each timer was armed for; NaN where one half of it is missing. */
async function timersIn({ url, prefix }: { url: string; prefix: string }): Promise<Map<string, number>> {
  const client = await meddler(url);
  try {
    const [shown, payloads] = await Promise.all([
      client.zrange(`{${prefix}}:timers`, '0', '-1'),
      client.hgetall(`{${prefix}}:timer`),
    ]);
    const ids = new Set([...shown, ...Object.keys(payloads)]);
    return new Map(
      [...ids].map((id) => {
        const payload = payloads[id];
        const whole = payload !== undefined && shown.includes(id);
        return [id, whole ? (JSON.parse(payload) as { due: number }).due : Number.NaN];
      }),
    );
  } finally {
    client.disconnect();
  }
}

// A witness in the test's own database: it writes down every due time that a fabric was ever promised and every word that
// its row ever said, so that what came and went between two looks is not lost. Nothing of the product knows of it.

import type { Sql } from 'postgres';
import { expect } from 'vitest';

export async function callWitness(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create table witness_cycle (
      seq bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(),
      fabric_id bigint not null, state text not null, due_at timestamptz, due_kind text, epoch bigint not null,
      lease_holder text, previous_sync timestamptz);
    create table witness_fabric (
      seq bigint generated always as identity primary key, fabric_id bigint not null,
      last_sync timestamptz, sync_status text not null, sync_error text not null);
    create function witness_cycle() returns trigger language plpgsql as $$
    begin
      insert into witness_cycle (fabric_id, state, due_at, due_kind, epoch, lease_holder, previous_sync)
      values (new.fabric_id, new.state, date_trunc('milliseconds', new.due_at), new.due_kind, new.epoch,
              new.lease_holder, new.previous_sync);
      return null;
    end $$;
    create function witness_fabric() returns trigger language plpgsql as $$
    begin
      insert into witness_fabric (fabric_id, last_sync, sync_status, sync_error)
      values (new.id, new.last_sync, new.sync_status, new.sync_error);
      return null;
    end $$;
    create trigger witness after insert or update on fabric_cycle for each row execute function witness_cycle();
    create trigger witness after insert or update on fabric for each row execute function witness_fabric();`);
}

export interface Wrong {
  readonly fabric: string;
  readonly what: string;
}

/** A due time that was replaced; both in epoch milliseconds. */
export interface TickLost extends Wrong {
  readonly dueMs: number;
  readonly untilMs: number;
}

const committed = (sql: Sql) => sql`('complete', 'partial', 'awaiting_approval')`;

/**
 * Each due time that was promised and is not promised any more was served by exactly one run, those aside that were cut
 * off in the middle; no two runs of a fabric were live at one time; every run that did not commit was followed by one that
 * did.
 * For fabrics whose settings nobody touched since the witness came: a change of settings breaks a promise rightly.
 */
export async function expectNothingLostNorDoubled(sql: Sql): Promise<void> {
  const lost = await sql<Wrong[]>`
    with promises as (
      select fabric_id, due_at, max(seq) as seq from witness_cycle where due_at is not null group by fabric_id, due_at)
    select f.name as fabric, format('due at %s, served by no run', p.due_at) as what
      from promises p join fabric f on f.id = p.fabric_id join fabric_cycle c on c.fabric_id = f.id
     where p.due_at is distinct from date_trunc('milliseconds', c.due_at)
       and not exists (select from fabric_run r where r.fabric_id = p.fabric_id and r.due_at = p.due_at)`;
  expect({ lost, ...(await unkept(sql)) }).toEqual({
    lost: [],
    doubled: [],
    unpromised: [],
    early: [],
    overlapping: [],
    abandoned: [],
  });
}

/**
 * Each due time that came before it was replaced by another was served, or came while a run was in hand, or a run began
 * after it and before that: ticks that were missed coalesce into one. This also holds where people ask for syncs, whose
 * failures move a due time that has not come yet. (A run ends in the history when its commit begins; the row knows better.)
 */
export async function ticksLost(sql: Sql): Promise<readonly TickLost[]> {
  return sql<TickLost[]>`
    with told as (
      select fabric_id, due_at, epoch, lease_holder, lead(at) over each_one as until, lead(due_at) over each_one as next
        from witness_cycle window each_one as (partition by fabric_id order by seq)),
    replaced as (
      select * from told where due_at is not null and until is not null and due_at <= until and next is distinct from due_at)
    select f.name as fabric, (extract(epoch from p.due_at) * 1000)::float8 as "dueMs",
           (extract(epoch from p.until) * 1000)::float8 as "untilMs",
           format('due at %s and replaced at %s by %s, served by no run. Around: %s; %s', p.due_at, p.until, p.next,
                  (select string_agg(format('%s %s for %s, %s to %s %s', r.id, r.trigger, r.due_at, r.started_at,
                                            r.finished_at, r.outcome), '; ' order by r.id)
                     from fabric_run r
                    where r.fabric_id = p.fabric_id
                      and r.started_at between p.due_at - interval '3 s' and p.until + interval '2 s'),
                  (select string_agg(format('%s: %s due %s epoch %s %s', w.at, w.state, w.due_at, w.epoch, w.lease_holder),
                                     '; ' order by w.seq)
                     from witness_cycle w
                    where w.fabric_id = p.fabric_id
                      and w.at between p.due_at - interval '3 s' and p.until + interval '2 s')) as what
      from replaced p join fabric f on f.id = p.fabric_id
     where not exists (
       select from fabric_run r
        where r.fabric_id = p.fabric_id
          and (r.due_at = p.due_at
               or p.lease_holder is not null and r.epoch = p.epoch
               or r.started_at between p.due_at and p.until))`;
}

/**
 * Where runs and promises do not fit: a list for each way to be wrong, empty where all is well.
 * @param wireMs how long one exchange with Postgres may take: a claim's time is that of its first message, so it may lie
 *   so much before the end of the run that it followed. The order of the rows themselves is exact.
 */
export async function unkept(sql: Sql, wireMs = 0): Promise<Readonly<Record<string, readonly Wrong[]>>> {
  const doubled = await sql<Wrong[]>`
    select f.name as fabric, format('due at %s, served by runs %s', r.due_at, string_agg(r.id || ' ' || coalesce(r.outcome, 'open'), ', ')) as what
      from fabric_run r join fabric f on f.id = r.fabric_id
     where r.due_at is not null
     group by f.name, r.due_at
    having count(*) filter (where coalesce(r.outcome, 'open') not in ('interrupted', 'fenced')) > 1`;
  const unpromised = await sql<Wrong[]>`
    select f.name as fabric, format('run %s served %s, which was never promised', r.id, r.due_at) as what
      from fabric_run r join fabric f on f.id = r.fabric_id
     where r.due_at is not null
       and not exists (select from witness_cycle w where w.fabric_id = r.fabric_id and w.due_at = r.due_at)`;
  const early = await sql<Wrong[]>`
    select f.name as fabric, format('run %s began at %s, before its time %s', r.id, r.started_at, r.due_at) as what
      from fabric_run r join fabric f on f.id = r.fabric_id where r.started_at < r.due_at - interval '20 ms'`;
  const overlapping = await sql<Wrong[]>`
    select f.name as fabric, format('run %s of %s, %s to %s, %s, and run %s of %s from %s', a.id, a.daemon, a.started_at, a.finished_at,
                                    coalesce(a.outcome, 'open'), b.id, b.daemon, b.started_at) as what
      from fabric_run a join fabric_run b on b.fabric_id = a.fabric_id and b.epoch > a.epoch
      join fabric f on f.id = a.fabric_id
     where b.started_at < coalesce(a.finished_at, 'infinity') - make_interval(secs => ${wireMs}::float8 / 1000)
     union all
    select f.name, format('epoch %s was written after %s', w.epoch, w.before)
      from (select *, lag(epoch) over (partition by fabric_id order by seq) as before from witness_cycle) w
      join fabric f on f.id = w.fabric_id
     where w.epoch < w.before`;
  const abandoned = await sql<Wrong[]>`
    select f.name as fabric, format('run %s (%s) was followed by no run that committed', r.id, coalesce(r.outcome, 'open')) as what
      from fabric_run r join fabric f on f.id = r.fabric_id join fabric_cycle c on c.fabric_id = f.id
     where coalesce(r.outcome, 'open') not in ${committed(sql)} and r.id is distinct from c.run_id
       and not exists (select from fabric_run later
                        where later.fabric_id = r.fabric_id and later.epoch > r.epoch and later.outcome in ${committed(sql)})`;
  return { doubled, unpromised, early, overlapping, abandoned };
}

/** What a fabric's row said, one after the other. */
export async function saidOf(
  sql: Sql,
  fabricId: string,
): Promise<readonly { lastSync: Date | null; syncStatus: string; syncError: string }[]> {
  return sql`
    select last_sync as "lastSync", sync_status as "syncStatus", sync_error as "syncError"
      from witness_fabric where fabric_id = ${fabricId} order by seq`;
}

/** What `last_sync` was, in truth, when the claim of this epoch was made. */
export async function syncBefore(sql: Sql, fabricId: string, epoch: number): Promise<Date | null> {
  const [row] = await sql<{ previous: Date | null }[]>`
    select previous_sync as previous from witness_cycle
     where fabric_id = ${fabricId} and epoch = ${epoch} and lease_holder is not null order by seq limit 1`;
  if (!row) throw new Error(`no claim was seen under epoch ${epoch}`);
  return row.previous;
}

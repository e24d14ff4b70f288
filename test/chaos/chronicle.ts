// The chronicle: every run that was ever begun, with what it claimed in the end, in a schema of its own. What people delete
// with a fabric and what a restored dump forgets is still there, so that no request of a daemon is without its run.

import type { Sql } from 'postgres';
import type { Held } from './reads.ts';

/** Its own schema: a dump that leaves it out does not undo it. */
export const chronicleSchema = 'chronicle';

export async function openChronicle(sql: Sql): Promise<void> {
  await sql.unsafe(`
    create schema ${chronicleSchema};
    create table chronicle.run (
      fabric text not null, daemon text not null, epoch bigint not null, run_id bigint not null,
      started_at timestamptz not null, finished_at timestamptz, outcome text, requests int not null, kinds jsonb not null,
      primary key (fabric, daemon, epoch, started_at));
    -- What ended the runs that were open and could not be written down any more.
    create table chronicle.cut (fabric text, at timestamptz not null default clock_timestamp());
    create function chronicle.tell_run() returns trigger language plpgsql as $$
    begin
      insert into chronicle.run
      select f.name, new.daemon, new.epoch, new.id, new.started_at, new.finished_at, new.outcome, new.requests, new.kinds
        from public.fabric f where f.id = new.fabric_id
          on conflict (fabric, daemon, epoch, started_at) do update
         set finished_at = excluded.finished_at, outcome = excluded.outcome, requests = excluded.requests,
             kinds = excluded.kinds
       -- What a restored dump says of a run that had ended is not what was.
       where run.outcome is null;
      return null;
    end $$;
    create function chronicle.tell_removal() returns trigger language plpgsql as $$
    begin
      insert into chronicle.cut (fabric) values (old.name);
      return null;
    end $$;
    create trigger chronicle after insert or update on public.fabric_run
      for each row execute function chronicle.tell_run();
    create trigger chronicle after delete on public.fabric for each row execute function chronicle.tell_removal();`);
}

/** An older dump is in place: whatever was in hand is unknown to the rows. */
export async function tellRestored(sql: Sql): Promise<void> {
  await sql`insert into chronicle.cut (fabric) values (null)`;
}

/** @param nameOf the place of the process that bears this name; null where none of ours does */
export async function heldRuns(sql: Sql, nameOf: (daemon: string) => string | null): Promise<readonly Held[]> {
  const rows = await sql<
    {
      fabric: string;
      daemon: string;
      runId: string;
      fromMs: number;
      toMs: number | null;
      wasCut: boolean;
      outcome: string | null;
      requests: number;
      kinds: string[];
    }[]
  >`
    select r.fabric, r.daemon, r.run_id::text as "runId", r.outcome, r.requests,
           (extract(epoch from r.started_at) * 1000)::float8 as "fromMs",
           (extract(epoch from least(r.finished_at, x.at)) * 1000)::float8 as "toMs",
           coalesce(x.at < coalesce(r.finished_at, 'infinity'), false) as "wasCut",
           array(select key from jsonb_each(r.kinds) where value ->> 'answer' = 'complete') as kinds
      from chronicle.run r,
           lateral (select min(c.at) as at from chronicle.cut c
                     where c.at > r.started_at and coalesce(c.fabric, r.fabric) = r.fabric) x
     order by r.started_at`;
  return rows.map(({ daemon, wasCut, outcome, requests, kinds, ...rest }) => ({
    ...rest,
    daemon: nameOf(daemon) ?? daemon,
    isFenced: wasCut || outcome === 'fenced',
    claims: outcome === 'complete' ? { requests, kinds } : null,
  }));
}

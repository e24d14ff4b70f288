-- 0001: fabrics, their cycle, and the inventory.
-- Why two tables for one fabric: `fabric` is what people set and read, with the names that the NetBox plugin's table
-- has; `fabric_cycle` is the daemon's own. A later step lets the daemon work on the plugin's own table, and then only
-- `fabric` is replaced.

create table fabric (
  id                   bigint generated always as identity primary key,
  name                 text not null unique check (name ~ '^[A-Za-z0-9]([A-Za-z0-9._ -]{0,98}[A-Za-z0-9])?$' and name !~ '^[0-9]+$'),
  description          text not null default '',
  created              timestamptz not null default now(),
  last_updated         timestamptz not null default now(),
  -- Where it is and how to get in.
  kubernetes_server    text not null default '',
  kubernetes_ca_cert   text not null default '',
  kubernetes_namespace text not null default 'default',
  tls_server_name      text not null default '',
  -- A secret is either sealed (AES-256-GCM, see src/kube/sealing.ts) or a reference that is read at each run.
  credential_sealed    bytea,
  credential_ref       text not null default '' check (credential_ref = '' or credential_ref ~ '^(file|credential|kubeconfig):'),
  -- What to do.
  sync_enabled         boolean not null default true,
  scheduler_enabled    boolean not null default true,
  sync_interval        integer not null default 60 check (sync_interval between 0 and 315360000),
  kinds_added          text[] not null default '{}',
  kinds_removed        text[] not null default '{}',
  guard_share          real not null default 0.2 check (guard_share between 0 and 1),
  guard_count          integer not null default 10 check (guard_count >= 0),
  -- What is so.
  last_sync            timestamptz,
  sync_status          text not null default 'never_synced'
                       check (sync_status in ('never_synced', 'syncing', 'in_sync', 'out_of_sync', 'error')),
  sync_error           text not null default '',
  connection_status    text not null default 'unknown'
                       check (connection_status in ('unknown', 'connected', 'disconnected', 'error')),
  connection_error     text not null default '',
  cached_crd_count     integer not null default 0,
  vpcs_count           integer not null default 0,
  connections_count    integer not null default 0,
  servers_count        integer not null default 0,
  switches_count       integer not null default 0,
  -- kind -> number of live objects, for every kind
  counts               jsonb not null default '{}',
  constraint one_credential check (credential_sealed is null or credential_ref = '')
);

create table fabric_cycle (
  fabric_id       bigint primary key references fabric on delete cascade,
  -- `locked` is never stored: the claim that ends it stores `syncing`.
  state           text not null default 'idle' check (state in ('idle', 'scheduled', 'syncing', 'backoff', 'errored')),
  due_at          timestamptz,
  due_kind        text check (due_kind in ('sync', 'retry', 'probe')),
  -- The periodic tick that the phase is counted from (no jitter), and the interval it was made with.
  tick_at         timestamptz,
  tick_interval   integer,
  -- The fencing token. Grows by one with each claim and each force-unlock; only the newest may commit.
  epoch           bigint not null default 0 check (epoch >= 0),
  lease_holder    text,
  lease_until     timestamptz,
  run_id          bigint,
  -- What `last_sync` and `sync_status` were before the run in hand, to be put back if it fails.
  previous_sync   timestamptz,
  previous_status text,
  attempts        integer not null default 0 check (attempts >= 0),
  -- code, message, hint, at
  failure         jsonb,
  paused_at       timestamptz,
  paused_by       text,
  pause_reason    text,
  paused_until    timestamptz,
  -- The cluster behind the address, pinned at the first sync.
  cluster_uid     text,
  -- What waits for a person: {"kind":"deletions"|"cluster","run":…,"since":…,"deletions":{kind: n},"of":n,"resources":[ids]}
  approval        jsonb,
  approved_by     text,
  approved_at     timestamptz,
  constraint lease_is_whole check ((lease_holder is null) = (lease_until is null)),
  constraint due_is_whole check ((due_at is null) = (due_kind is null)),
  constraint syncing_has_lease check (state <> 'syncing' or lease_until is not null)
);
create index fabric_cycle_lease on fabric_cycle (lease_until) where lease_until is not null;

create table fabric_run (
  id            bigint generated always as identity primary key,
  fabric_id     bigint not null references fabric on delete cascade,
  epoch         bigint not null,
  trigger       text not null check (trigger in ('sync', 'retry', 'probe', 'manual')),
  daemon        text not null,
  -- The due time it served; null for a manual run.
  due_at        timestamptz,
  started_at    timestamptz not null default now(),
  finished_at   timestamptz,
  -- null while it runs
  outcome       text check (outcome in ('complete', 'partial', 'awaiting_approval', 'failed', 'cancelled', 'interrupted', 'fenced')),
  created       integer not null default 0,
  updated       integer not null default 0,
  deleted       integer not null default 0,
  unchanged     integer not null default 0,
  quarantined   integer not null default 0,
  -- kind -> {"answer","listed","created","updated","deleted","quarantined"}
  kinds         jsonb not null default '{}',
  requests      integer not null default 0,
  bytes_read    bigint not null default 0,
  failure       jsonb,
  traceparent   text,
  -- Two commits of one fabric can never share an epoch.
  unique (fabric_id, epoch)
);
create index fabric_run_by_fabric on fabric_run (fabric_id, id desc);

create table fabric_resource (
  id                 bigint generated always as identity primary key,
  fabric_id          bigint not null references fabric on delete cascade,
  api_group          text not null,
  api_version        text not null,
  kind               text not null,
  plural             text not null,
  namespace          text not null,
  name               text not null,
  uid                text not null,
  -- Opaque: compared for equality only, and only within one uid.
  resource_version   text not null,
  generation         bigint,
  creation_timestamp timestamptz,
  -- Everything else as served, less managedFields, the last-applied annotation, and what has a column above.
  object             jsonb not null,
  -- SHA-256 of the canonical JSON of `object`.
  content_hash       bytea not null,
  created_run        bigint not null,
  changed_run        bigint not null,
  changed_at         timestamptz not null default now(),
  -- A tombstone when set.
  deleted_run        bigint,
  deleted_at         timestamptz,
  unique (fabric_id, api_group, kind, namespace, name)
);

-- Every change with its run. The body is kept backwards: `before` here, and what came after is the `before` of the next
-- change or the resource itself. So the 10,000 creations of a first sync store no object twice.
create table fabric_change (
  run_id       bigint not null references fabric_run on delete cascade,
  resource_id  bigint not null references fabric_resource on delete cascade,
  fabric_id    bigint not null references fabric on delete cascade,
  change       text not null check (change in ('created', 'updated', 'deleted', 'recreated', 'restored')),
  before       jsonb,
  before_uid   text,
  before_resource_version text,
  primary key (run_id, resource_id)
);
create index fabric_change_by_resource on fabric_change (resource_id, run_id);

-- Objects that could not be stored, and why. Replaced with each complete list of their kind.
create table fabric_quarantine (
  fabric_id  bigint not null references fabric on delete cascade,
  api_group  text not null,
  kind       text not null,
  namespace  text not null,
  name       text not null,
  reason     text not null,
  run_id     bigint not null,
  since      timestamptz not null default now(),
  primary key (fabric_id, api_group, kind, namespace, name)
);

-- A person's "sync now". A row, so that it survives the daemon that heard it, and so that it can be waited for.
create table fabric_request (
  id         bigint generated always as identity primary key,
  fabric_id  bigint not null references fabric on delete cascade,
  asked_at   timestamptz not null default now(),
  asked_by   text not null,
  traceparent text,
  -- The run that answered it; null while it waits.
  run_id     bigint,
  settled_at timestamptz,
  -- Why it was not run: 'refused: …'
  refusal    text
);
create index fabric_request_open on fabric_request (fabric_id) where settled_at is null;

-- Whoever changes the settings of a fabric, psql included, every daemon hears of it.
create function fabric_settings_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('fabric_syncd', json_build_object('what', lower(tg_op), 'fabric', coalesce(new.id, old.id)::text)::text);
  return null;
end $$;

create function fabric_add_cycle() returns trigger language plpgsql as $$
begin
  insert into fabric_cycle (fabric_id) values (new.id) on conflict do nothing;
  return null;
end $$;

create trigger fabric_a_cycle after insert on fabric for each row execute function fabric_add_cycle();
create trigger fabric_inserted after insert or delete on fabric for each row execute function fabric_settings_changed();
create trigger fabric_updated after update of
    name, kubernetes_server, kubernetes_ca_cert, kubernetes_namespace, tls_server_name, credential_sealed,
    credential_ref, sync_enabled, scheduler_enabled, sync_interval, kinds_added, kinds_removed, guard_share, guard_count
  on fabric for each row
  when (old.* is distinct from new.*)
  execute function fabric_settings_changed();

create function fabric_request_made() returns trigger language plpgsql as $$
begin
  perform pg_notify('fabric_syncd', json_build_object('what', 'request', 'fabric', new.fabric_id::text, 'request', new.id::text)::text);
  return null;
end $$;
create trigger fabric_request_made after insert on fabric_request for each row execute function fabric_request_made();

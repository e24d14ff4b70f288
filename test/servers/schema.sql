-- The schema after every migration, as a test reads it from the catalogue.

fabric
  id bigint not null generated always as identity
  name text not null
  description text not null default ''::text
  created timestamp with time zone not null default now()
  last_updated timestamp with time zone not null default now()
  kubernetes_server text not null default ''::text
  kubernetes_ca_cert text not null default ''::text
  kubernetes_namespace text not null default 'default'::text
  tls_server_name text not null default ''::text
  credential_sealed bytea
  credential_ref text not null default ''::text
  sync_enabled boolean not null default true
  scheduler_enabled boolean not null default true
  sync_interval integer not null default 60
  kinds_added text[] not null default '{}'::text[]
  kinds_removed text[] not null default '{}'::text[]
  guard_share real not null default 0.2
  guard_count integer not null default 10
  last_sync timestamp with time zone
  sync_status text not null default 'never_synced'::text
  sync_error text not null default ''::text
  connection_status text not null default 'unknown'::text
  connection_error text not null default ''::text
  cached_crd_count integer not null default 0
  vpcs_count integer not null default 0
  connections_count integer not null default 0
  servers_count integer not null default 0
  switches_count integer not null default 0
  counts jsonb not null default '{}'::jsonb
  credential_given_at timestamp with time zone
  constraint fabric_connection_status_check CHECK ((connection_status = ANY (ARRAY['unknown'::text, 'connected'::text, 'disconnected'::text, 'error'::text])))
  constraint fabric_credential_ref_check CHECK (((credential_ref = ''::text) OR (credential_ref ~ '^(file|credential|kubeconfig):'::text)))
  constraint fabric_guard_count_check CHECK ((guard_count >= 0))
  constraint fabric_guard_share_check CHECK (((guard_share >= (0)::double precision) AND (guard_share <= (1)::double precision)))
  constraint fabric_name_check CHECK (((name ~ '^[A-Za-z0-9]([A-Za-z0-9._ -]{0,98}[A-Za-z0-9])?$'::text) AND (name !~ '^[0-9]+$'::text)))
  constraint fabric_name_key UNIQUE (name)
  constraint fabric_pkey PRIMARY KEY (id)
  constraint fabric_sync_interval_check CHECK (((sync_interval >= 0) AND (sync_interval <= 315360000)))
  constraint fabric_sync_status_check CHECK ((sync_status = ANY (ARRAY['never_synced'::text, 'syncing'::text, 'in_sync'::text, 'out_of_sync'::text, 'error'::text])))
  constraint one_credential CHECK (((credential_sealed IS NULL) OR (credential_ref = ''::text)))

fabric_act
  id bigint not null generated always as identity
  fabric_id bigint not null
  at timestamp with time zone not null default now()
  by text not null
  act text not null
  detail text not null default ''::text
  constraint fabric_act_act_check CHECK ((act = ANY (ARRAY['trigger'::text, 'retry'::text, 'pause'::text, 'resume'::text, 'approve'::text, 'unlock'::text, 'cancel'::text])))
  constraint fabric_act_fabric_id_fkey FOREIGN KEY (fabric_id) REFERENCES fabric(id) ON DELETE CASCADE
  constraint fabric_act_pkey PRIMARY KEY (id)

fabric_change
  run_id bigint not null
  resource_id bigint not null
  fabric_id bigint not null
  change text not null
  before jsonb
  before_uid text
  before_resource_version text
  constraint fabric_change_change_check CHECK ((change = ANY (ARRAY['created'::text, 'updated'::text, 'deleted'::text, 'unsynced'::text, 'recreated'::text, 'restored'::text])))
  constraint fabric_change_pkey PRIMARY KEY (run_id, resource_id)
  constraint fabric_change_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES fabric_resource(id) ON DELETE CASCADE
  constraint fabric_change_run_id_fkey FOREIGN KEY (run_id) REFERENCES fabric_run(id) ON DELETE CASCADE

fabric_cycle
  fabric_id bigint not null
  state text not null default 'idle'::text
  due_at timestamp with time zone
  due_kind text
  tick_at timestamp with time zone
  tick_interval integer
  epoch bigint not null default 0
  lease_holder text
  lease_until timestamp with time zone
  run_id bigint
  previous_sync timestamp with time zone
  previous_status text
  attempts integer not null default 0
  failure jsonb
  paused_at timestamp with time zone
  paused_by text
  pause_reason text
  paused_until timestamp with time zone
  cluster_uid text
  approval jsonb
  approved_by text
  approved_at timestamp with time zone
  way_in_at timestamp with time zone
  traceparent text
  constraint due_is_whole CHECK (((due_at IS NULL) = (due_kind IS NULL)))
  constraint fabric_cycle_attempts_check CHECK ((attempts >= 0))
  constraint fabric_cycle_due_kind_check CHECK ((due_kind = ANY (ARRAY['sync'::text, 'retry'::text, 'probe'::text])))
  constraint fabric_cycle_epoch_check CHECK ((epoch >= 0))
  constraint fabric_cycle_fabric_id_fkey FOREIGN KEY (fabric_id) REFERENCES fabric(id) ON DELETE CASCADE
  constraint fabric_cycle_pkey PRIMARY KEY (fabric_id)
  constraint fabric_cycle_state_check CHECK ((state = ANY (ARRAY['idle'::text, 'scheduled'::text, 'syncing'::text, 'backoff'::text, 'errored'::text])))
  constraint lease_is_whole CHECK (((lease_holder IS NULL) = (lease_until IS NULL)))
  constraint syncing_has_lease CHECK (((state <> 'syncing'::text) OR (lease_until IS NOT NULL)))

fabric_migration
  number integer not null
  name text not null
  hash text not null
  applied_at timestamp with time zone not null default now()
  constraint fabric_migration_pkey PRIMARY KEY (number)

fabric_quarantine
  fabric_id bigint not null
  api_group text not null
  kind text not null
  namespace text not null
  name text not null
  reason text not null
  run_id bigint not null
  since timestamp with time zone not null default now()
  constraint fabric_quarantine_fabric_id_fkey FOREIGN KEY (fabric_id) REFERENCES fabric(id) ON DELETE CASCADE
  constraint fabric_quarantine_pkey PRIMARY KEY (fabric_id, api_group, kind, namespace, name)

fabric_request
  id bigint not null generated always as identity
  fabric_id bigint not null
  asked_at timestamp with time zone not null default now()
  asked_by text not null
  traceparent text
  run_id bigint
  settled_at timestamp with time zone
  refusal text
  constraint fabric_request_fabric_id_fkey FOREIGN KEY (fabric_id) REFERENCES fabric(id) ON DELETE CASCADE
  constraint fabric_request_pkey PRIMARY KEY (id)

fabric_resource
  id bigint not null generated always as identity
  fabric_id bigint not null
  api_group text not null
  api_version text not null
  kind text not null
  plural text not null
  namespace text not null
  name text not null
  uid text not null
  resource_version text not null
  generation bigint
  creation_timestamp timestamp with time zone
  object jsonb not null
  content_hash bytea not null
  created_run bigint not null
  changed_run bigint not null
  changed_at timestamp with time zone not null default now()
  deleted_run bigint
  deleted_at timestamp with time zone
  constraint fabric_resource_fabric_id_api_group_kind_namespace_name_key UNIQUE (fabric_id, api_group, kind, namespace, name)
  constraint fabric_resource_fabric_id_fkey FOREIGN KEY (fabric_id) REFERENCES fabric(id) ON DELETE CASCADE
  constraint fabric_resource_pkey PRIMARY KEY (id)

fabric_run
  id bigint not null generated always as identity
  fabric_id bigint not null
  epoch bigint not null
  trigger text not null
  daemon text not null
  due_at timestamp with time zone
  started_at timestamp with time zone not null default now()
  finished_at timestamp with time zone
  outcome text
  created integer not null default 0
  updated integer not null default 0
  deleted integer not null default 0
  unchanged integer not null default 0
  quarantined integer not null default 0
  kinds jsonb not null default '{}'::jsonb
  requests integer not null default 0
  bytes_read bigint not null default 0
  failure jsonb
  traceparent text
  constraint fabric_run_fabric_id_epoch_key UNIQUE (fabric_id, epoch)
  constraint fabric_run_fabric_id_fkey FOREIGN KEY (fabric_id) REFERENCES fabric(id) ON DELETE CASCADE
  constraint fabric_run_outcome_check CHECK ((outcome = ANY (ARRAY['complete'::text, 'partial'::text, 'awaiting_approval'::text, 'failed'::text, 'cancelled'::text, 'interrupted'::text, 'fenced'::text])))
  constraint fabric_run_pkey PRIMARY KEY (id)
  constraint fabric_run_trigger_check CHECK ((trigger = ANY (ARRAY['sync'::text, 'retry'::text, 'probe'::text, 'manual'::text])))

CREATE UNIQUE INDEX fabric_name_key ON public.fabric USING btree (name)
CREATE UNIQUE INDEX fabric_pkey ON public.fabric USING btree (id)
CREATE INDEX fabric_act_by_fabric ON public.fabric_act USING btree (fabric_id, id DESC)
CREATE UNIQUE INDEX fabric_act_pkey ON public.fabric_act USING btree (id)
CREATE INDEX fabric_change_by_resource ON public.fabric_change USING btree (resource_id, run_id)
CREATE UNIQUE INDEX fabric_change_pkey ON public.fabric_change USING btree (run_id, resource_id)
CREATE INDEX fabric_cycle_lease ON public.fabric_cycle USING btree (lease_until) WHERE (lease_until IS NOT NULL)
CREATE UNIQUE INDEX fabric_cycle_pkey ON public.fabric_cycle USING btree (fabric_id)
CREATE UNIQUE INDEX fabric_migration_pkey ON public.fabric_migration USING btree (number)
CREATE UNIQUE INDEX fabric_quarantine_pkey ON public.fabric_quarantine USING btree (fabric_id, api_group, kind, namespace, name)
CREATE INDEX fabric_request_by_fabric ON public.fabric_request USING btree (fabric_id)
CREATE INDEX fabric_request_open ON public.fabric_request USING btree (fabric_id) WHERE (settled_at IS NULL)
CREATE UNIQUE INDEX fabric_request_pkey ON public.fabric_request USING btree (id)
CREATE UNIQUE INDEX fabric_resource_fabric_id_api_group_kind_namespace_name_key ON public.fabric_resource USING btree (fabric_id, api_group, kind, namespace, name)
CREATE INDEX fabric_resource_gone ON public.fabric_resource USING btree (deleted_at) WHERE (deleted_at IS NOT NULL)
CREATE UNIQUE INDEX fabric_resource_pkey ON public.fabric_resource USING btree (id)
CREATE INDEX fabric_run_by_fabric ON public.fabric_run USING btree (fabric_id, id DESC)
CREATE UNIQUE INDEX fabric_run_fabric_id_epoch_key ON public.fabric_run USING btree (fabric_id, epoch)
CREATE UNIQUE INDEX fabric_run_pkey ON public.fabric_run USING btree (id)
CREATE OR REPLACE FUNCTION public.fabric_add_cycle()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into fabric_cycle (fabric_id) values (new.id) on conflict do nothing;
  return null;
end $function$
CREATE OR REPLACE FUNCTION public.fabric_credential_given()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.credential_ref <> '' and (tg_op = 'INSERT' or new.credential_ref is distinct from old.credential_ref) then
    new.credential_given_at := now();
  end if;
  return new;
end $function$
CREATE OR REPLACE FUNCTION public.fabric_request_made()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('fabric_syncd', json_build_object('what', 'request', 'fabric', new.fabric_id::text, 'request', new.id::text)::text);
  return null;
end $function$
CREATE OR REPLACE FUNCTION public.fabric_settings_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_notify('fabric_syncd', json_build_object('what', lower(tg_op), 'fabric', coalesce(new.id, old.id)::text)::text);
  return null;
end $function$
CREATE OR REPLACE FUNCTION public.fabric_try_way_in(id bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  update fabric_cycle
     set way_in_at = clock_timestamp(),
         due_at = case when state in ('backoff', 'errored') and due_at > now()
                            and (lease_until is null or lease_until <= now())
                       then date_trunc('milliseconds', now()) else due_at end
   where fabric_id = id
$function$
CREATE OR REPLACE FUNCTION public.fabric_way_in_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform fabric_try_way_in(new.id);
  return null;
end $function$
CREATE TRIGGER fabric_a_cycle AFTER INSERT ON public.fabric FOR EACH ROW EXECUTE FUNCTION fabric_add_cycle()
CREATE TRIGGER fabric_credential_given BEFORE INSERT OR UPDATE OF credential_ref ON public.fabric FOR EACH ROW EXECUTE FUNCTION fabric_credential_given()
CREATE TRIGGER fabric_inserted AFTER INSERT OR DELETE ON public.fabric FOR EACH ROW EXECUTE FUNCTION fabric_settings_changed()
CREATE TRIGGER fabric_updated AFTER UPDATE OF name, kubernetes_server, kubernetes_ca_cert, kubernetes_namespace, tls_server_name, credential_sealed, credential_ref, sync_enabled, scheduler_enabled, sync_interval, kinds_added, kinds_removed, guard_share, guard_count ON public.fabric FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION fabric_settings_changed()
CREATE TRIGGER fabric_way_in AFTER UPDATE OF kubernetes_server, kubernetes_ca_cert, kubernetes_namespace, tls_server_name, credential_sealed, credential_ref, kinds_added, kinds_removed ON public.fabric FOR EACH ROW WHEN (((((((((old.kubernetes_server IS DISTINCT FROM new.kubernetes_server) OR (old.kubernetes_ca_cert IS DISTINCT FROM new.kubernetes_ca_cert)) OR (old.kubernetes_namespace IS DISTINCT FROM new.kubernetes_namespace)) OR (old.tls_server_name IS DISTINCT FROM new.tls_server_name)) OR (old.credential_sealed IS DISTINCT FROM new.credential_sealed)) OR (old.credential_ref IS DISTINCT FROM new.credential_ref)) OR (old.kinds_added IS DISTINCT FROM new.kinds_added)) OR (old.kinds_removed IS DISTINCT FROM new.kinds_removed))) EXECUTE FUNCTION fabric_way_in_changed()
CREATE TRIGGER fabric_request_made AFTER INSERT ON public.fabric_request FOR EACH ROW EXECUTE FUNCTION fabric_request_made()

-- 0002: a new way in is tried at once, whoever writes it, psql included.

-- When what a fabric is reached by, or what is read of it, was last written. A run that began earlier knows nothing of it.
alter table fabric_cycle add column way_in_at timestamptz;

-- What was wrong may be mended: a fabric in trouble is due now. Under a live lease nothing moves: that run ends by its own
-- rules, and where it fails it sees that it knew too little.
create function fabric_try_way_in(id bigint) returns void language sql as $$
  update fabric_cycle
     set way_in_at = clock_timestamp(),
         due_at = case when state in ('backoff', 'errored') and due_at > now()
                            and (lease_until is null or lease_until <= now())
                       then date_trunc('milliseconds', now()) else due_at end
   where fabric_id = id
$$;

create function fabric_way_in_changed() returns trigger language plpgsql as $$
begin
  perform fabric_try_way_in(new.id);
  return null;
end $$;

create trigger fabric_way_in after update of
    kubernetes_server, kubernetes_ca_cert, kubernetes_namespace, tls_server_name, credential_sealed, credential_ref,
    kinds_added, kinds_removed
  on fabric for each row
  when ((old.kubernetes_server, old.kubernetes_ca_cert, old.kubernetes_namespace, old.tls_server_name,
         old.credential_sealed, old.credential_ref, old.kinds_added, old.kinds_removed)
        is distinct from
        (new.kubernetes_server, new.kubernetes_ca_cert, new.kubernetes_namespace, new.tls_server_name,
         new.credential_sealed, new.credential_ref, new.kinds_added, new.kinds_removed))
  execute function fabric_way_in_changed();

-- 0005: what leaves the inventory because nobody wants its kind any more, and when a credential was given.

-- `unsynced`: the kind of this object was removed from what is read. It says nothing of the object: it is not a deletion.
alter table fabric_change
  drop constraint fabric_change_change_check,
  add constraint fabric_change_change_check
      check (change in ('created', 'updated', 'deleted', 'unsynced', 'recreated', 'restored'));

-- When a person last gave the credential; null where that was before this column. Another seal around it is no new one.
alter table fabric add column credential_given_at timestamptz;

-- A reference is also written by hand. A sealed credential only comes from the commands, which say when it was given.
create function fabric_credential_given() returns trigger language plpgsql as $$
begin
  if new.credential_ref <> '' and (tg_op = 'INSERT' or new.credential_ref is distinct from old.credential_ref) then
    new.credential_given_at := now();
  end if;
  return new;
end $$;
create trigger fabric_credential_given before insert or update of credential_ref
  on fabric for each row execute function fabric_credential_given();

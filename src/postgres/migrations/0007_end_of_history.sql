-- 0007: what is old, and what goes with a fabric, is found without reading whole tables.

-- Tombstones by their age: the few among all objects. (The runs of a fabric are in order of age as they are.)
create index fabric_resource_gone on fabric_resource (deleted_at) where deleted_at is not null;

-- Of a fabric that is removed also those requests go that were answered.
create index fabric_request_by_fabric on fabric_request (fabric_id);

-- A change goes with its run and with its object, and those with their fabric. A reference of its own to the fabric found
-- nothing more, and read the largest of all tables for it whenever a fabric was removed.
alter table fabric_change drop constraint fabric_change_fabric_id_fkey;

-- 0003: what people did to a fabric, by the command or by the inspector: who, what and when.
-- Written in the statement of the act itself: an act that happened is told, and one that did not is not.

create table fabric_act (
  id         bigint generated always as identity primary key,
  fabric_id  bigint not null references fabric on delete cascade,
  at         timestamptz not null default now(),
  by         text not null,
  act        text not null check (act in ('trigger', 'pause', 'resume', 'approve', 'unlock', 'cancel')),
  -- The reason of a pause, say; empty where there is none.
  detail     text not null default ''
);
create index fabric_act_by_fabric on fabric_act (fabric_id, id desc);

-- 0006: a retry that a person asks for is recorded as one. It is a trigger with another reason: a fabric in trouble.

alter table fabric_act
  drop constraint fabric_act_act_check,
  add constraint fabric_act_act_check
      check (act in ('trigger', 'retry', 'pause', 'resume', 'approve', 'unlock', 'cancel'));

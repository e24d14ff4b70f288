-- 0004: a row leads to the trace of the last run, so that a timer which is armed from the row carries it on.

-- W3C trace context of the last run that was claimed; null where nothing was traced.
alter table fabric_cycle add column traceparent text;

// A row of `fabric_run` as `to_jsonb` gives it, and what the port says of it.

import type { RunRow } from '../../ports/operator.ts';

export interface RunJson {
  readonly id: number;
  readonly fabric_id: number;
  readonly epoch: number;
  readonly trigger: RunRow['trigger'];
  readonly daemon: string;
  readonly due_at: string | null;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly outcome: RunRow['outcome'];
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  readonly quarantined: number;
  readonly kinds: RunRow['kinds'];
  readonly requests: number;
  readonly bytes_read: number;
  readonly failure: RunRow['failure'];
  readonly traceparent: string | null;
}

export function runOf(json: RunJson): RunRow {
  return {
    runId: String(json.id),
    fabricId: String(json.fabric_id),
    epoch: json.epoch,
    trigger: json.trigger,
    daemon: json.daemon,
    dueAtMs: json.due_at === null ? null : Date.parse(json.due_at),
    startedMs: Date.parse(json.started_at),
    finishedMs: json.finished_at === null ? null : Date.parse(json.finished_at),
    outcome: json.outcome,
    created: json.created,
    updated: json.updated,
    deleted: json.deleted,
    unchanged: json.unchanged,
    quarantined: json.quarantined,
    kinds: json.kinds,
    requests: json.requests,
    bytesRead: json.bytes_read,
    failure: json.failure,
    traceparent: json.traceparent,
  };
}

// What the inspector reads of the truth beside the acts of an operator. `src/postgres/operator` is the adapter.

import type { FabricSettingsValues } from './fabric-settings.ts';
import type { RunOutcome, StatusRead } from './operator.ts';
import type { StoredCredential } from './store.ts';

/** A run that has ended, as small as a plot needs it. */
export interface EndedRun {
  readonly runId: string;
  readonly outcome: RunOutcome;
  readonly durationMs: number;
}

export interface SettingsRead extends FabricSettingsValues {
  readonly credential: StoredCredential;
  /** Null where there is none, or it is not known. */
  readonly credentialGivenMs: number | null;
  readonly createdMs: number;
  readonly lastUpdatedMs: number;
}

/** What a person did to a fabric. */
export interface ActRow {
  readonly atMs: number;
  readonly by: string;
  readonly act: string;
  /** The reason of a pause, say. */
  readonly detail: string;
}

export interface InspectorReads {
  /** Every fabric, or those of these that are there. In order of id. */
  status(fabricIds: readonly string[] | null): Promise<StatusRead>;
  /** fabric id -> its last ended runs, the oldest first; of every fabric. */
  endedRuns(limit: number): Promise<ReadonlyMap<string, readonly EndedRun[]>>;
  /** Null where it is gone. */
  settings(fabricId: string): Promise<SettingsRead | null>;
  /** The newest first. */
  acts(fabricId: string, limit: number): Promise<readonly ActRow[]>;
}

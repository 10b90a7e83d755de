import type { TenantId, WorkflowId } from '../../identifiers.ts';
import type { Json } from '../../json.ts';
import type { Mapping } from '../definition.ts';
import type { OverlapPolicy, ScheduleSpec } from './schedule-spec.ts';

/** What is wanted of a schedule. Whether it is paused, and what it did, Temporal knows. */
export type ScheduleRecord = {
  id: string;
  tenantId: TenantId;
  workflowId: WorkflowId;
  /** Null: the latest when it fires. */
  version: number | null;
  name: string;
  /** Of the runs, unless there is a mapping. */
  input: Json;
  /** CEL over scheduledTime and schedule. */
  mapping: Mapping | null;
  spec: ScheduleSpec;
  /** What a firing does while the run of an earlier one is still open. */
  overlap: OverlapPolicy;
  /** How late a firing may still be made up for, as after an outage. */
  catchupWindowMs: number;
  /** Pauses the schedule when one of its runs does not complete. */
  pauseOnFailure: boolean;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
};

/** What is done to a schedule that Temporal has. */
export type ScheduleAct =
  | { kind: 'pause' | 'unpause'; note: string | null }
  /** Fires now. */
  | { kind: 'trigger'; overlap: OverlapPolicy }
  /** Fires for every time within the range, as if it were passing now. */
  | { kind: 'backfill'; from: string; to: string; overlap: OverlapPolicy };
/** One that was asked for, and may be done and recorded again and again without harm. */
export type OpenScheduleAct = { requestId: string; askedAt: string; by: string | null; act: ScheduleAct };

export const SCHEDULED_RUN_WORKFLOW_TYPE = 'scheduledRun';
export const RUN_ENDED_SIGNAL = 'runEnded';

/** Argument of the workflow that a schedule starts, and that stays open as long as the run. */
export type ScheduledRunArguments = { tenantId: string; scheduleId: string };
/** How the run of a firing ended; without a run id none could be started. */
export type RunEnded = { runId: string | null; status: string; code: string | null; message: string | null };

export type RequestScheduledRun = ScheduledRunArguments & {
  /** RFC 3339: when it should have fired, without jitter and delays. */
  scheduledTime: string;
  /** Workflow id of the one that asks. */
  holderId: string;
};
export type StopScheduledRun = { holderId: string; reason: string };

export interface ScheduleActivities {
  /** Records the firing, once; some API process starts the run. False when there is no such schedule any more. */
  'weft.requestScheduledRun'(request: RequestScheduledRun): Promise<boolean>;
  /** Has the run of a firing cancelled. */
  'weft.stopScheduledRun'(request: StopScheduledRun): Promise<void>;
}

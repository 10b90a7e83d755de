import { type Client, isGrpcServiceError } from '@temporalio/client';
import proto, { type temporal } from '@temporalio/proto';
import type { RunError } from '../domain/runs/run-event.ts';
import { runFailure } from './history-failures.ts';
import { createPayloadDecoder } from './history-payloads.ts';
import { revealFailure } from './reveal-failures.ts';

export type PendingActivity = { activityId: string; type: string; queue: string | null; since: number };
/** What waits for a worker to take it; what runs, or waits out a pause between attempts, does not. */
export type PendingWork = {
  workflowTask: { since: number } | null;
  activities: PendingActivity[];
  retries: PendingRetry[];
};
/** An activity that has failed and is tried again. */
export type PendingRetry = {
  activityId: string;
  /** Attempts that have failed. */
  failed: number;
  error: RunError;
  /** When the next attempt begins; null where it has. */
  nextAt: number | null;
};

const { PendingActivityState, PendingWorkflowTaskState } = proto.temporal.api.enums.v1;
const DEADLINE_MS = 5_000;
const NOT_FOUND = 5;
const NOTHING: PendingWork = { workflowTask: null, activities: [], retries: [] };
/** Of a map whose items all fail, these say enough. */
const MOST_RETRIES = 20;

type Moment = { seconds?: unknown; nanos?: number | null } | null | undefined;
const milliseconds = (moment: Moment): number => Number(moment?.seconds ?? 0) * 1_000 + (moment?.nanos ?? 0) / 1e6;

type PendingActivityInfo = temporal.api.workflow.v1.IPendingActivityInfo;

function retriesOf(client: Client, pending: readonly PendingActivityInfo[]): Promise<PendingRetry[]> {
  const decode = createPayloadDecoder(client.options.loadedDataConverter.payloadCodecs);
  const failing = pending.filter(({ lastFailure, attempt }) => lastFailure && (attempt ?? 1) > 1);
  return Promise.all(
    failing.slice(0, MOST_RETRIES).map(async ({ activityId, attempt, lastFailure, state, scheduledTime }) => {
      for (let failure = lastFailure; failure; failure = failure.cause) await revealFailure(failure, decode);
      const waits = state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED;
      const next = milliseconds(scheduledTime);
      return {
        activityId: activityId ?? '',
        failed: (attempt ?? 1) - 1,
        error: await runFailure(lastFailure, decode),
        nextAt: waits && next > Date.now() ? next : null,
      };
    }),
  );
}

/** What has waited for at least `sinceMs`. A run that Temporal does not know, or that is closed, has nothing. */
export async function readPendingWork(client: Client, runId: string, sinceMs: number): Promise<PendingWork> {
  const { namespace } = client.options;
  try {
    const answer = await client.withDeadline(Date.now() + DEADLINE_MS, () =>
      client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: runId } }),
    );
    const late = (scheduled: Moment) => Date.now() - milliseconds(scheduled) >= sinceMs;
    const task = answer.pendingWorkflowTask;
    return {
      workflowTask:
        task?.state === PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED && late(task.scheduledTime)
          ? { since: milliseconds(task.scheduledTime) }
          : null,
      activities: (answer.pendingActivities ?? [])
        .filter(
          ({ state, scheduledTime }) =>
            state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED && late(scheduledTime),
        )
        .map((pending) => ({
          activityId: pending.activityId ?? '',
          type: pending.activityType?.name ?? '',
          queue: pending.activityOptions?.taskQueue?.name ?? null,
          since: milliseconds(pending.scheduledTime),
        })),
      retries: await retriesOf(client, answer.pendingActivities ?? []),
    };
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return NOTHING;
    throw error;
  }
}

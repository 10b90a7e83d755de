import { type Client, isGrpcServiceError } from '@temporalio/client';
import proto from '@temporalio/proto';

export type PendingActivity = { activityId: string; type: string; queue: string | null; since: number };
/** What waits for a worker to take it; what runs, or waits out a pause between attempts, does not. */
export type PendingWork = { workflowTask: { since: number } | null; activities: PendingActivity[] };

const { PendingActivityState, PendingWorkflowTaskState } = proto.temporal.api.enums.v1;
const DEADLINE_MS = 5_000;
const NOT_FOUND = 5;
const NOTHING: PendingWork = { workflowTask: null, activities: [] };

type Moment = { seconds?: unknown; nanos?: number | null } | null | undefined;
const milliseconds = (moment: Moment): number => Number(moment?.seconds ?? 0) * 1_000 + (moment?.nanos ?? 0) / 1e6;

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
    };
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return NOTHING;
    throw error;
  }
}

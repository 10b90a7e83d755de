import type { Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { QueueHalf, QueueStats } from '../domain/runs/queue-stats.ts';

/** temporal.api.enums.v1.TaskQueueType; the proto package's exports cannot be imported by name from ESM. */
const WORKFLOW = 1;
const ACTIVITY = 2;
const DEADLINE_MS = 5_000;

/** Part of the connections of clients and of workers. */
export type TemporalService = Pick<Connection, 'workflowService' | 'withDeadline'>;
type Moment = { seconds?: unknown; nanos?: number | null } | null | undefined;

/** Pollers, backlog and rates of a task queue. Temporal itself renews the numbers every few seconds. */
export async function describeQueue(
  connection: TemporalService,
  namespace: string,
  queue: string,
): Promise<QueueStats> {
  const half = async (taskQueueType: temporal.api.enums.v1.TaskQueueType): Promise<QueueHalf> => {
    const { pollers, stats } = await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: queue },
        taskQueueType,
        reportStats: true,
      }),
    );
    return {
      pollers: (pollers ?? []).map(({ identity, lastAccessTime }) => ({
        identity: identity ?? '',
        lastPollAt: milliseconds(lastAccessTime),
      })),
      backlog: Number(stats?.approximateBacklogCount ?? 0),
      backlogAgeMs: milliseconds(stats?.approximateBacklogAge),
      addedPerSecond: stats?.tasksAddRate ?? 0,
      dispatchedPerSecond: stats?.tasksDispatchRate ?? 0,
    };
  };
  const [workflows, activities] = await Promise.all([half(WORKFLOW), half(ACTIVITY)]);
  return { queue, workflows, activities, readAt: Date.now() };
}

const milliseconds = (moment: Moment): number => Number(moment?.seconds ?? 0) * 1_000 + (moment?.nanos ?? 0) / 1e6;

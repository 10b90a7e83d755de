import type { Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

export type QueuePollers = { queue: string; workflows: number; activities: number };

/** temporal.api.enums.v1.TaskQueueType; the proto package's exports cannot be imported by name from ESM. */
const WORKFLOW = 1;
const ACTIVITY = 2;

/** Who has asked for tasks in the last minutes, for each of the queues. */
export async function countPollers(
  connection: Connection,
  namespace: string,
  queues: readonly string[],
): Promise<QueuePollers[]> {
  const count = async (queue: string, taskQueueType: temporal.api.enums.v1.TaskQueueType) => {
    const answer = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: queue },
      taskQueueType,
    });
    return answer.pollers?.length ?? 0;
  };
  return Promise.all(
    queues.map(async (queue) => ({
      queue,
      workflows: await count(queue, WORKFLOW),
      activities: await count(queue, ACTIVITY),
    })),
  );
}

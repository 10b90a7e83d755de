import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import { hintActivities } from './hint-activities.ts';
import { type ActivityLog, logActivities } from './log-activities.ts';
import { limitResults } from './limit-results.ts';
import type { WorkerPool } from './pools.ts';

export type PoolWorkerOptions = {
  pool: WorkerPool;
  connection: NativeConnection;
  namespace: string;
  dataConverter: DataConverter;
  activities: object;
  workflowBundle: WorkflowBundleOption;
  hint: (runId: string) => void;
  maxResultBytes: number;
  log: ActivityLog;
};

/** Cancellation reaches an activity with its next heartbeat, so heartbeats are not held back longer than this. */
const HEARTBEAT_THROTTLE_MS = 1_000;
/** How long a task waits for the worker that had the run cached before any other may take it, as after a crash. */
const STICKY_TIMEOUT_MS = 3_000;
const GRACE_MS = 5_000;

export function createPoolWorker(options: PoolWorkerOptions): Promise<Worker> {
  const { pool, connection, namespace, dataConverter, activities, workflowBundle, hint, maxResultBytes, log } = options;
  return Worker.create({
    connection,
    namespace,
    taskQueue: pool.queue,
    dataConverter,
    activities,
    maxConcurrentActivityTaskExecutions: pool.activityConcurrency,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
    shutdownGraceTime: GRACE_MS,
    interceptors: { activity: [hintActivities(hint), logActivities(log), limitResults(maxResultBytes)] },
    ...(pool.workflows
      ? {
          workflowBundle,
          sinks: { hints: { progressed: { fn: ({ workflowId }) => hint(workflowId), callDuringReplay: false } } },
        }
      : {}),
  });
}

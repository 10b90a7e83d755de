import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker, type WorkerOptions, type WorkflowBundleOption } from '@temporalio/worker';
import { runGroupActivity } from '../activities/runs/run-group-activity.ts';
import { GROUP_ACTIVITY } from '../domain/runs/messages.ts';
import type { PoolRow } from '../domain/runs/pools.ts';
import { DEPLOYMENT_NAME } from '../temporal/worker-deployment.ts';
import type { Slots } from './create-tuner.ts';
import { hintActivities } from './hint-activities.ts';
import { jitterRetries } from './jitter-retries.ts';
import { limitResults } from './limit-results.ts';
import { type ActivityLog, logActivities } from './log-activities.ts';

export type PoolWorkerOptions = {
  pool: PoolRow;
  connection: NativeConnection;
  namespace: string;
  dataConverter: DataConverter;
  activities: Readonly<Record<string, unknown>>;
  workflowBundle: WorkflowBundleOption;
  slots: Slots;
  /** Runs kept in memory. */
  cache: { maxCachedWorkflows?: number };
  graceMs: number;
  /** The build whose runs this worker takes; null: any. */
  buildId?: string | null;
  hint: (runId: string) => void;
  maxResultBytes: number;
  log: ActivityLog;
};

/** Cancellation reaches an activity with its next heartbeat, so heartbeats are not held back longer than this. */
const HEARTBEAT_THROTTLE_MS = 1_000;
/** How long a task waits for the worker that had the run cached before any other may take it, as after a crash. */
const STICKY_TIMEOUT_MS = 3_000;
/** How long activities that were cancelled at the end of the grace may take to end. */
export const AFTER_GRACE_MS = 5_000;

export function createPoolWorker(options: PoolWorkerOptions): Promise<Worker> {
  const { pool, connection, namespace, dataConverter, activities, workflowBundle, hint, maxResultBytes, log } = options;
  return Worker.create({
    connection,
    namespace,
    taskQueue: pool.queue,
    dataConverter,
    activities: pool.workflows ? { ...activities, [GROUP_ACTIVITY]: runGroupActivity(activities) } : activities,
    ...options.slots,
    ...options.cache,
    ...(pool.maxPerSecond === null ? {} : { maxTaskQueueActivitiesPerSecond: pool.maxPerSecond }),
    ...(pool.maxPerSecondPerWorker === null ? {} : { maxActivitiesPerSecond: pool.maxPerSecondPerWorker }),
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE_MS,
    stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
    shutdownGraceTime: options.graceMs,
    shutdownForceTime: options.graceMs + AFTER_GRACE_MS,
    interceptors: {
      activity: [hintActivities(hint), logActivities(log), limitResults(maxResultBytes), jitterRetries()],
    },
    ...(pool.workflows
      ? {
          ...deploymentOf(options.buildId ?? null),
          workflowBundle,
          sinks: { hints: { progressed: { fn: ({ workflowId }) => hint(workflowId), callDuringReplay: false } } },
        }
      : {}),
  });
}

/** A run stays with its build until it continues as new, which is safe in any later one. */
function deploymentOf(buildId: string | null): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (buildId === null) return {};
  const version = { buildId, deploymentName: DEPLOYMENT_NAME };
  return { workerDeploymentOptions: { useWorkerVersioning: true, version, defaultVersioningBehavior: 'PINNED' } };
}

import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { Json } from '../../domain/json.ts';
import { activityId } from '../../domain/runs/activity-id.ts';
import type { CompiledNode } from '../../domain/runs/compile.ts';

/** Without either, Temporal refuses the activity; a node that sets only one keeps the type's other bounds. */
const FALLBACK_START_TO_CLOSE_MS = 300_000;

type AnyActivity = (input: Json) => Promise<Json | undefined>;

/** The activity of a node, under the id and the options of this iteration. */
export function activityOf(node: CompiledNode, iteration: number): AnyActivity {
  const activities = proxyActivities<Record<string, AnyActivity>>(activityOptions(node, iteration));
  return activities[node.type] as AnyActivity;
}

function activityOptions(node: CompiledNode, iteration: number): ActivityOptions {
  const { definition, row } = node;
  const timeouts = { ...row.timeouts, ...definition.timeouts };
  const retry = { ...row.retry, ...definition.retry };
  const taskQueue = definition.taskQueue ?? row.taskQueue;
  return {
    activityId: activityId(node.id, iteration),
    summary: `${definition.name ?? node.id} (${node.type})`,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    startToCloseTimeout: timeouts.startToCloseMs ?? timeouts.scheduleToCloseMs ?? FALLBACK_START_TO_CLOSE_MS,
    ...(taskQueue === undefined ? {} : { taskQueue }),
    ...(timeouts.scheduleToCloseMs === undefined ? {} : { scheduleToCloseTimeout: timeouts.scheduleToCloseMs }),
    ...(timeouts.scheduleToStartMs === undefined ? {} : { scheduleToStartTimeout: timeouts.scheduleToStartMs }),
    ...(timeouts.heartbeatMs === undefined ? {} : { heartbeatTimeout: timeouts.heartbeatMs }),
    retry: {
      ...(retry.maximumAttempts === undefined ? {} : { maximumAttempts: retry.maximumAttempts }),
      ...(retry.initialIntervalMs === undefined ? {} : { initialInterval: retry.initialIntervalMs }),
      ...(retry.backoffCoefficient === undefined ? {} : { backoffCoefficient: retry.backoffCoefficient }),
      ...(retry.maximumIntervalMs === undefined ? {} : { maximumInterval: retry.maximumIntervalMs }),
      ...(retry.nonRetryableCodes === undefined ? {} : { nonRetryableErrorTypes: retry.nonRetryableCodes }),
    },
  };
}

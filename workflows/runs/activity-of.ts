import {
  ActivityCancellationType,
  type ActivityOptions,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { Json } from '../../domain/json.ts';
import { activityId } from '../../domain/runs/activity-id.ts';
import type { CompiledNode } from '../../domain/runs/compile.ts';
import type { NodeTimeouts, RetryPolicy } from '../../domain/runs/definition.ts';
import { FUSED_LIMIT_MS } from '../../domain/runs/fuse.ts';
import { CHILD_RESULT_ACTIVITY, GROUP_ACTIVITY } from '../../domain/runs/messages.ts';
import { type NodeTypeRow, nodeTypeRow } from '../../domain/runs/node-types.ts';
import type { GroupInput, GroupOutput } from '../../domain/runs/run-group.ts';
import type { UndoState } from '../../domain/runs/run-state.ts';

/** Without either, Temporal refuses the activity; a node that sets only one keeps the type's other bounds. */
const FALLBACK_START_TO_CLOSE_MS = 300_000;
const CHILD_HEARTBEAT_MS = 15_000;
const YEAR_MS = 365 * 24 * 3_600_000;

type AnyActivity = (input: Json) => Promise<Json | undefined>;
type NodeOptions = { name?: string; retry?: RetryPolicy; timeouts?: NodeTimeouts; taskQueue?: string };

/** The activity of a node, under the id and the options of this iteration. */
export function activityOf(node: CompiledNode, iteration: string, legacy: boolean): AnyActivity {
  const options = activityOptions(node.row, node.definition, `${node.definition.name ?? node.id} (${node.type})`);
  const activities = proxyActivities<Record<string, AnyActivity>>({
    ...options,
    ...(legacy ? { cancellationType: ActivityCancellationType.TRY_CANCEL } : {}),
    activityId: activityId(node.id, iteration),
  });
  return activities[node.type] as AnyActivity;
}

export function undoActivityOf(undo: UndoState): AnyActivity {
  const options = activityOptions(
    nodeTypeRow(undo.type),
    undo.options,
    `${undo.options.name ?? undo.id} (${undo.type})`,
  );
  const activities = proxyActivities<Record<string, AnyActivity>>({
    ...options,
    activityId: activityId(undo.id, undo.iteration),
  });
  return activities[undo.type] as AnyActivity;
}

/** Waits for a child run that an earlier link of this run has started; ends when the child does, however that is. */
export function childResultActivity(nodeId: string, iteration: string): (child: { runId: string }) => Promise<Json> {
  const activities = proxyActivities<Record<string, (child: { runId: string }) => Promise<Json>>>({
    activityId: activityId(nodeId, iteration),
    summary: `${nodeId} (child run)`,
    startToCloseTimeout: YEAR_MS,
    heartbeatTimeout: CHILD_HEARTBEAT_MS,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
  });
  return activities[CHILD_RESULT_ACTIVITY] as (child: { runId: string }) => Promise<Json>;
}

/** One local activity for all of them; should it fail as a whole, its nodes are scheduled one by one. */
export function groupActivity(members: readonly string[]): (group: GroupInput) => Promise<GroupOutput> {
  const activities = proxyLocalActivities<Record<string, (group: GroupInput) => Promise<GroupOutput>>>({
    summary: members.join(', '),
    startToCloseTimeout: FUSED_LIMIT_MS * members.length,
    retry: { maximumAttempts: 1 },
  });
  return activities[GROUP_ACTIVITY] as (group: GroupInput) => Promise<GroupOutput>;
}

function activityOptions(row: NodeTypeRow, definition: NodeOptions, summary: string): ActivityOptions {
  const timeouts = { ...row.timeouts, ...definition.timeouts };
  const retry = { ...row.retry, ...definition.retry };
  const taskQueue = definition.taskQueue ?? row.taskQueue;
  return {
    summary,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
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
      // Not Temporal's: the interceptor hands it on.
      ...(retry.jitter === undefined ? {} : { jitter: retry.jitter }),
    },
  };
}

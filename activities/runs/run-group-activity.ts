import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { NodeDefinition } from '../../domain/runs/definition.ts';
import { FUSED_LIMIT_MS } from '../../domain/runs/fuse.ts';
import { type NodeType, nodeTypeRow } from '../../domain/runs/node-types.ts';
import { failureToRunError, timeoutToRunError } from '../../domain/runs/run-error.ts';
import { type ExecuteMember, type GroupInput, type GroupOutput, runGroup } from '../../domain/runs/run-group.ts';
import { inMemberContext } from './member-context.ts';

type Activity = (input: JsonObject) => Promise<Json | undefined>;

/**
 * The activity that runs fused nodes: their own activities, one after the other in this process, each under its own id, so that
 * idempotency keys and the effect ledger are the same as if it ran by itself.
 */
export function runGroupActivity(activities: Readonly<Record<string, unknown>>) {
  return async (group: GroupInput): Promise<GroupOutput> => {
    const { cancellationSignal, cancelled } = Context.current();
    const execute: ExecuteMember = (member, input) => executeMember(activities, member, group.iteration, input);
    const output = await runGroup(group, execute, Date.now);
    return cancellationSignal.aborted ? cancelled : output;
  };
}

async function executeMember(
  activities: Readonly<Record<string, unknown>>,
  member: NodeDefinition,
  iteration: string,
  input: JsonObject,
): ReturnType<ExecuteMember> {
  const activity = activities[member.type] as Activity | undefined;
  // The group falls apart, and the node waits for a worker that offers its activity.
  if (!activity) return refused(member, ApplicationFailure.retryable(`no activity ${member.type} here`, 'NODE_FAILED'));
  const timeoutMs = member.timeouts?.startToCloseMs ?? FUSED_LIMIT_MS;
  try {
    const place = { nodeId: member.id, iteration, activityType: member.type };
    const result = await inMemberContext(place, timeoutMs, () => activity(input));
    if (result === 'timed out') {
      return { error: timeoutToRunError('START_TO_CLOSE', member.id), retryable: true };
    }
    return { output: result.output ?? null };
  } catch (error) {
    return refused(member, error);
  }
}

function refused(member: NodeDefinition, error: unknown): Awaited<ReturnType<ExecuteMember>> {
  const failure = error instanceof ApplicationFailure ? error : null;
  const codes = member.retry?.nonRetryableCodes ?? nodeTypeRow(member.type as NodeType).retry?.nonRetryableCodes ?? [];
  const final = failure?.nonRetryable === true || codes.includes(failure?.type ?? '');
  const message = failure?.message ?? 'The node failed unexpectedly';
  return { error: failureToRunError(failure?.type, message, member.id), retryable: !final };
}

import { createHash } from 'node:crypto';
import { Context, type Info } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { AppError } from '../domain/errors.ts';
import type { EventRecorder } from '../domain/events/event-recorder.ts';
import type { SystemEvent, SystemPayload } from '../domain/events/system-event.ts';
import type { JsonObject } from '../domain/json.ts';
import { parseActivityId } from '../domain/runs/activity-id.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';

type CallType = 'model.called' | 'tool.called';
type Place = 'runId' | 'nodeId' | 'iteration' | 'attempt';
type Outcome = 'outcome' | 'error' | 'durationMs';

export type RecordedCall<Type extends CallType, Output> = {
  type: Type;
  /** What is known before the answer. */
  asked: Omit<SystemPayload<Type>, Place | Outcome>;
  /** What the answer adds. */
  answered?: (output: Output) => Partial<SystemPayload<Type>>;
  /** Which call of this attempt, where one attempt makes several. */
  nth?: number;
  send: () => Promise<Output>;
};

/**
 * Makes a call and records it, answered or not, once for each attempt. Where the database does not take the event the call counts all
 * the same: failing would repeat it.
 */
export async function recordCall<Type extends CallType, Output>(
  events: EventRecorder,
  { type, asked, answered, nth = 1, send }: RecordedCall<Type, Output>,
): Promise<Output> {
  const { info, log } = Context.current();
  const began = performance.now();
  const record = async (end: Partial<SystemPayload<Type>> & Pick<SystemPayload<CallType>, 'outcome' | 'error'>) => {
    const durationMs = Math.round(performance.now() - began);
    const payload = { ...placeOf(info), ...asked, durationMs, ...end };
    const event = { type, payload, ...identityOf(type, info, nth) } as unknown as SystemEvent;
    try {
      await events.recordOfRun(info.workflowExecution?.workflowId ?? '', event);
    } catch (error) {
      log.warn('a call was not recorded', { error, type });
    }
  };
  try {
    const output = await send();
    await record({ ...(answered?.(output) as Partial<SystemPayload<Type>>), outcome: 'OK', error: null });
    return output;
  } catch (error) {
    await record({ outcome: 'FAILED', error: described(error) } as Parameters<typeof record>[0]);
    throw error;
  }
}

export const requestHash = (asked: unknown): string => createHash('sha256').update(canonicalJson(asked)).digest('hex');

function placeOf({ workflowExecution, activityId, attempt }: Info): JsonObject {
  const node = parseActivityId(activityId);
  const place = { nodeId: node?.nodeId ?? activityId, iteration: node?.iteration ?? null };
  return { runId: workflowExecution?.workflowId ?? null, ...place, attempt };
}

function identityOf(type: CallType, { workflowExecution, activityId, attempt }: Info, nth: number) {
  const { workflowId = '', runId = '' } = workflowExecution ?? {};
  return {
    id: `${workflowId}/${activityId}`,
    eventId: `${type}/${workflowId}/${runId}/${activityId}/${attempt}/${nth}`,
    correlationId: workflowId,
    causationId: `run/${workflowId}/${runId}#${activityId}`,
  };
}

function described(error: unknown): { code: string; message: string } {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  if (error instanceof CancelledFailure) return { code: 'CANCELLED', message: 'The call was cancelled' };
  return { code: 'NODE_FAILED', message: 'The call failed unexpectedly' };
}

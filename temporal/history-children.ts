import type { temporal } from '@temporalio/proto';
import { AppError } from '../domain/errors.ts';
import { parseChildRunId } from '../domain/runs/child-run-id.ts';
import { timeoutToRunError, toRunError } from '../domain/runs/run-error.ts';
import type { RunError } from '../domain/runs/run-event.ts';
import type { DecodePayloads } from './history-payloads.ts';
import { runFailure, timeoutName } from './history-failures.ts';
import type { Mapped, NodeRefs } from './history-to-events.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** A child names its node in its workflow id; one of a hand-written workflow belongs to no node. */
export async function mapChildEvent(
  event: HistoryEvent,
  id: number,
  refs: NodeRefs,
  decode: DecodePayloads,
): Promise<Mapped | undefined> {
  const initiated = event.startChildWorkflowExecutionInitiatedEventAttributes;
  if (initiated) {
    const runId = initiated.workflowId ?? '';
    const ref = parseChildRunId(runId);
    if (!ref) return undefined;
    refs.set(id, ref);
    return { type: 'child.scheduled', payload: { ...ref, runId } };
  }
  const attributes =
    event.childWorkflowExecutionStartedEventAttributes ??
    event.childWorkflowExecutionCompletedEventAttributes ??
    event.childWorkflowExecutionFailedEventAttributes ??
    event.childWorkflowExecutionCanceledEventAttributes ??
    event.childWorkflowExecutionTerminatedEventAttributes ??
    event.childWorkflowExecutionTimedOutEventAttributes ??
    event.startChildWorkflowExecutionFailedEventAttributes;
  const ref = refs.get(Number(attributes?.initiatedEventId ?? 0));
  if (!ref) return undefined;
  const { nodeId, iteration, chunk = null } = ref;
  const child = { nodeId, iteration, chunk };
  if (event.childWorkflowExecutionStartedEventAttributes) return { type: 'child.started', payload: child };
  if (event.childWorkflowExecutionCompletedEventAttributes) {
    const [output] = await decode(event.childWorkflowExecutionCompletedEventAttributes.result?.payloads);
    return { type: 'child.completed', payload: { ...child, output: output ?? null } };
  }
  return { type: 'child.failed', payload: { ...child, error: await childFailure(event, nodeId, decode) } };
}

/** The workflow makes the same of the failure that it is given. */
async function childFailure(event: HistoryEvent, nodeId: string, decode: DecodePayloads): Promise<RunError> {
  const failed = event.childWorkflowExecutionFailedEventAttributes;
  if (failed) return { ...(await runFailure(failed.failure, decode)), nodeId };
  if (event.childWorkflowExecutionTimedOutEventAttributes) return timeoutToRunError(timeoutName(1), nodeId);
  if (event.childWorkflowExecutionTerminatedEventAttributes) {
    return toRunError(new AppError('CHILD_TERMINATED'), nodeId);
  }
  if (event.childWorkflowExecutionCanceledEventAttributes) return toRunError(new AppError('CHILD_CANCELLED'), nodeId);
  return toRunError(
    new AppError('NODE_FAILED', { detail: 'The child run could not be started: its id is taken' }),
    nodeId,
  );
}

import { randomUUID } from 'node:crypto';
import {
  type Client,
  isGrpcServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AppError, type ErrorFields, isErrorCode } from '../domain/errors.ts';
import type { RunId } from '../domain/identifiers.ts';

/** An update waits for a worker to take it; beyond this none polls. */
export const UPDATE_DEADLINE_MS = 15_000;
const CALL_DEADLINE_MS = 10_000;
const GRPC_NOT_FOUND = 5;

/**
 * Sends an update and waits for what the run says to it. The same `updateId` is taken once by a link of the run.
 * @throws AppError what the validator refuses with, NOT_FOUND, RUN_CLOSED, TEMPORAL_UNAVAILABLE
 */
export async function updateRun(
  client: Client,
  runId: RunId,
  update: string,
  request: object,
  updateId?: string,
): Promise<void> {
  const handle = client.workflow.getHandle(runId);
  try {
    await client.withDeadline(Date.now() + UPDATE_DEADLINE_MS, () =>
      handle.executeUpdate(update, { args: [request], ...(updateId === undefined ? {} : { updateId }) }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw refusedUpdate(runId, error);
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
      throw new AppError('TEMPORAL_UNAVAILABLE', { detail: 'no worker took the answer in time' }, error);
    }
    throw await closedOrUnknown(client, runId, error);
  }
}

/**
 * Tries an activity again that is waiting for its next attempt; its attempts count from 1 again.
 * @throws AppError NOT_RETRYABLE when it is not under way
 */
export async function retryActivityNow(client: Client, runId: RunId, activityId: string): Promise<void> {
  const [nodeId] = activityId.split('#');
  try {
    await client.withDeadline(Date.now() + CALL_DEADLINE_MS, () =>
      client.workflowService.resetActivity({
        namespace: client.options.namespace,
        identity: client.options.identity,
        execution: { workflowId: runId },
        id: activityId,
      }),
    );
  } catch (error) {
    if (!isGrpcServiceError(error) || Number(error.code) !== GRPC_NOT_FOUND) throw error;
    throw new AppError('NOT_RETRYABLE', { nodeId, detail: 'its activity is not under way' }, error);
  }
}

/** Stops an activity whose result nobody wants any more: its attempt is cancelled with the next heartbeat, and none follows. */
export async function stopActivity(client: Client, runId: RunId, activityId: string): Promise<void> {
  try {
    await client.withDeadline(Date.now() + CALL_DEADLINE_MS, () =>
      client.workflowService.pauseActivity({
        namespace: client.options.namespace,
        identity: client.options.identity,
        execution: { workflowId: runId },
        id: activityId,
        reason: 'The node was skipped',
      }),
    );
  } catch (error) {
    // It has ended meanwhile, or its run has.
    if (!isGrpcServiceError(error) || Number(error.code) !== GRPC_NOT_FOUND) throw error;
  }
}

/** Activities under way are cancelled before the run ends. @throws AppError NOT_FOUND, RUN_CLOSED */
export async function cancelRunWorkflow(client: Client, runId: RunId, reason: string | null): Promise<void> {
  try {
    // The handle's own cancel() cannot carry a reason.
    await client.withDeadline(Date.now() + CALL_DEADLINE_MS, () =>
      client.workflowService.requestCancelWorkflowExecution({
        namespace: client.options.namespace,
        identity: client.options.identity,
        requestId: randomUUID(),
        workflowExecution: { workflowId: runId },
        reason: reason ?? '',
      }),
    );
  } catch (error) {
    throw await closedOrUnknown(client, runId, error);
  }
}

/** @throws AppError NOT_FOUND, RUN_CLOSED */
export async function terminateRunWorkflow(client: Client, runId: RunId, reason: string | null): Promise<void> {
  try {
    const handle = client.workflow.getHandle(runId);
    await client.withDeadline(Date.now() + CALL_DEADLINE_MS, () => handle.terminate(reason ?? undefined));
  } catch (error) {
    throw await closedOrUnknown(client, runId, error);
  }
}

export function refusedUpdate(runId: RunId, { cause }: WorkflowUpdateFailedError): Error {
  const { type, details } = cause instanceof ApplicationFailure ? cause : {};
  if (isErrorCode(type)) return new AppError(type, (details?.[0] ?? {}) as ErrorFields, cause);
  // The run ended between taking the update and answering it.
  if (type === 'AcceptedUpdateCompletedWorkflow')
    return new AppError('RUN_CLOSED', { runId, runStatus: 'ended' }, cause);
  return new AppError('INTERNAL', {}, cause);
}

/** Temporal says NOT_FOUND for closed runs too. */
export async function closedOrUnknown(client: Client, runId: RunId, error: unknown): Promise<unknown> {
  const missing =
    error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND);
  if (!missing) return error;
  try {
    const { status } = await client.workflow.getHandle(runId).describe();
    return new AppError('RUN_CLOSED', { runId, runStatus: status.name }, error);
  } catch (failure) {
    if (failure instanceof WorkflowNotFoundError) return new AppError('NOT_FOUND', { what: 'Run', id: runId }, error);
    return failure;
  }
}

import { type Client, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import type { RunId } from '../domain/identifiers.ts';
import type { ChildResult } from '../domain/runs/messages.ts';

/**
 * What a run comes to, over all its links; waits for as long as it is open, or until the signal falls.
 * @throws ApplicationFailure (not to be tried again) with the code of the run's failure
 */
export async function awaitChildResult(client: Client, runId: RunId, signal: AbortSignal): Promise<ChildResult> {
  try {
    return (await client.withAbortSignal(signal, () => client.workflow.getHandle(runId).result())) as ChildResult;
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw failureOf(error);
    throw error;
  }
}

function failureOf({ cause }: WorkflowFailedError): Error {
  if (cause instanceof ApplicationFailure) {
    return ApplicationFailure.nonRetryable(cause.message, cause.type, ...(cause.details ?? []));
  }
  if (cause instanceof CancelledFailure)
    return ApplicationFailure.nonRetryable('The child run was cancelled', 'CHILD_CANCELLED');
  if (cause instanceof TerminatedFailure)
    return ApplicationFailure.nonRetryable('The child run was terminated', 'CHILD_TERMINATED');
  const detail = cause instanceof TimeoutFailure ? 'The child run timed out' : 'The child run failed';
  return ApplicationFailure.nonRetryable(detail, cause instanceof TimeoutFailure ? 'NODE_TIMED_OUT' : 'NODE_FAILED');
}

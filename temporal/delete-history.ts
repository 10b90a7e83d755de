import { type Client, isGrpcServiceError } from '@temporalio/client';

const NOT_FOUND = 5;
const INVALID = 3;

/** False when Temporal has it no longer. */
export async function deleteHistory(
  client: Client,
  { runId, temporalRunId }: { runId: string; temporalRunId: string },
): Promise<boolean> {
  try {
    await client.workflowService.deleteWorkflowExecution({
      namespace: client.options.namespace,
      workflowExecution: { workflowId: runId, runId: temporalRunId },
    });
    return true;
  } catch (error) {
    // Of a run that never began there is none.
    if (isGrpcServiceError(error) && [NOT_FOUND, INVALID].includes(Number(error.code))) return false;
    throw error;
  }
}

import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { EVENT_SIGNAL, type ReceivedEvent } from '../domain/runs/messages.ts';
import { RUN_ENDED_SIGNAL, type RunEnded } from '../domain/runs/triggers/schedule.ts';

const DEADLINE_MS = 10_000;
const GRPC_NOT_FOUND = 5;

/** False when the run is closed or unknown. */
export const signalEvent = (client: Client, runId: string, event: ReceivedEvent): Promise<boolean> =>
  signal(client, runId, EVENT_SIGNAL, event);

/** Tells the workflow that stands for a schedule's run how that ended; false when nobody waits for it any more. */
export const signalRunEnded = (client: Client, holderId: string, end: RunEnded): Promise<boolean> =>
  signal(client, holderId, RUN_ENDED_SIGNAL, end);

async function signal(client: Client, workflowId: string, name: string, argument: unknown): Promise<boolean> {
  const found = await ifFound(client, () =>
    client.workflow
      .getHandle(workflowId)
      .signal(name, argument)
      .then(() => true),
  );
  return found ?? false;
}

/** Whether a workflow is open. */
export async function isWorkflowOpen(client: Client, workflowId: string): Promise<boolean> {
  const described = await ifFound(client, () => client.workflow.getHandle(workflowId).describe());
  return described?.status.name === 'RUNNING' || described?.status.name === 'PAUSED';
}

async function ifFound<T>(client: Client, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await client.withDeadline(Date.now() + DEADLINE_MS, call);
  } catch (error) {
    const missing =
      error instanceof WorkflowNotFoundError || (isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND);
    if (missing) return undefined;
    throw error;
  }
}

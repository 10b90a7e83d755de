import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { AppError } from '../domain/errors.ts';

type History = temporal.api.history.v1.IHistory;

const GRPC_NOT_FOUND = 5;

/**
 * The histories of a run's links, the first one first, as far as Temporal still has them; `temporalRunId` names the last one.
 * @throws NOT_FOUND
 */
export async function readChain(client: Client, workflowId: string, temporalRunId?: string): Promise<History[]> {
  const last = await readHistory(client, workflowId, temporalRunId);
  if (last === null) throw new AppError('NOT_FOUND', { what: 'The history of run', id: workflowId });
  const chain = [last];
  for (let before = linkBefore(last); before !== null;) {
    const history = await readHistory(client, workflowId, before);
    if (history === null) break;
    chain.unshift(history);
    before = linkBefore(history);
  }
  return chain;
}

export type FoundExecution = { workflowId: string; temporalRunId: string; startedAt: Date };

/** Workflow ids with Temporal's run ids that a query of Temporal's finds, at most so many, the newest first. */
export async function findExecutions(client: Client, query: string, most: number): Promise<FoundExecution[]> {
  const found: FoundExecution[] = [];
  for await (const { workflowId, runId, startTime } of client.workflow.list({
    query,
    pageSize: Math.min(most, 1_000),
  })) {
    if (found.length >= most) break;
    found.push({ workflowId, temporalRunId: runId, startedAt: startTime });
  }
  return found;
}

/** Null for one that Temporal does not have (any more). */
export async function readHistory(client: Client, workflowId: string, temporalRunId?: string): Promise<History | null> {
  try {
    return await client.workflow.getHandle(workflowId, temporalRunId).fetchHistory();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isNotFound(error)) return null;
    throw error;
  }
}

const isNotFound = (error: unknown): boolean => isGrpcServiceError(error) && Number(error.code) === GRPC_NOT_FOUND;

function linkBefore({ events }: History): string | null {
  return events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || null;
}

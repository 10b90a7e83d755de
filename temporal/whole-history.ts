import { type Connection, isGrpcServiceError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const NOT_FOUND = 5;

/**
 * The history of one Temporal run as it is now, or of the newest when `temporalRunId` is null. Undefined when the server does not
 * know it, as after its retention.
 */
export async function readWholeHistory(
  connection: Connection,
  namespace: string,
  { workflowId, temporalRunId }: { workflowId: string; temporalRunId: string | null },
): Promise<HistoryEvent[] | undefined> {
  const events: HistoryEvent[] = [];
  try {
    for (let token: Uint8Array | null | undefined = new Uint8Array(); token;) {
      const page: temporal.api.workflowservice.v1.IGetWorkflowExecutionHistoryResponse =
        await connection.workflowService.getWorkflowExecutionHistory({
          namespace,
          execution: { workflowId, runId: temporalRunId ?? '' },
          nextPageToken: token,
        });
      events.push(...(page.history?.events ?? []));
      token = page.nextPageToken?.length ? page.nextPageToken : null;
    }
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return undefined;
    throw error;
  }
  return events;
}

const CLOSING = [
  'workflowExecutionCompletedEventAttributes',
  'workflowExecutionFailedEventAttributes',
  'workflowExecutionTimedOutEventAttributes',
  'workflowExecutionCanceledEventAttributes',
  'workflowExecutionTerminatedEventAttributes',
  'workflowExecutionContinuedAsNewEventAttributes',
] as const;

export function isClosedHistory(history: readonly HistoryEvent[]): boolean {
  const last = history.at(-1);
  return last !== undefined && CLOSING.some((attributes) => last[attributes]);
}

import { type Connection, isGrpcServiceError } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** Where a history is read on from: a link of a run and the token of the last page; null is its first event. */
export type HistoryCursor = { workflowId: string; temporalRunId: string | null; token: Uint8Array | null };

export type HistoryPage =
  | {
      kind: 'page';
      events: readonly HistoryEvent[];
      token: Uint8Array | null;
      /** The last event of this history is in the page or before it. */
      ended: boolean;
    }
  /** No such workflow, or it has left the server's retention. */
  | { kind: 'not_found' }
  /** The token no longer fits the history, as after a reset: read again from event 1. */
  | { kind: 'token_refused' };

const DEADLINE_MS = 2_000;
const GRPC = { cancelled: 1, invalidArgument: 3, deadlineExceeded: 4, notFound: 5, failedPrecondition: 9, aborted: 10 };

/**
 * Reads what is new, or waits about a second for it and gives an empty page. Always in the waiting mode: only there does the
 * server hand out a token at the end of an open history.
 */
export async function readHistoryPage(
  connection: Connection,
  namespace: string,
  cursor: HistoryCursor,
  { signal, pageEvents, deadlineMs = DEADLINE_MS }: { signal: AbortSignal; pageEvents: number; deadlineMs?: number },
): Promise<HistoryPage> {
  try {
    const response = await connection.withAbortSignal(signal, () =>
      connection.withDeadline(Date.now() + deadlineMs, () =>
        connection.workflowService.getWorkflowExecutionHistory({
          namespace,
          execution: { workflowId: cursor.workflowId, runId: cursor.temporalRunId ?? '' },
          maximumPageSize: pageEvents,
          waitNewEvent: true,
          nextPageToken: cursor.token ?? new Uint8Array(),
        }),
      ),
    );
    const { nextPageToken } = response;
    const token = nextPageToken?.length ? nextPageToken : null;
    return { kind: 'page', events: response.history?.events ?? [], token, ended: token === null };
  } catch (error) {
    return pageOfError(error, cursor);
  }
}

function pageOfError(error: unknown, { token }: HistoryCursor): HistoryPage {
  if (!isGrpcServiceError(error)) throw error;
  switch (Number(error.code)) {
    case GRPC.notFound:
      return { kind: 'not_found' };
    case GRPC.cancelled:
    case GRPC.deadlineExceeded:
      return { kind: 'page', events: [], token, ended: false };
    case GRPC.invalidArgument:
    case GRPC.failedPrecondition:
    case GRPC.aborted:
      if (token !== null) return { kind: 'token_refused' };
      throw error;
    default:
      throw error;
  }
}

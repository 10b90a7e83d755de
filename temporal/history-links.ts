import proto, { type temporal } from '@temporalio/proto';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const RESET = proto.temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW;

/**
 * Temporal's run id of a history, which no page names, and that of the first link of its chain. A history made by a reset begins
 * with the events of another run; the failed workflow task at the seam tells its own id.
 */
export function ownTemporalRunId(
  history: readonly HistoryEvent[],
): { temporalRunId: string; chainStart: string } | undefined {
  const started = history[0]?.workflowExecutionStartedEventAttributes;
  if (!started?.originalExecutionRunId) return undefined;
  const reset = history.findLast((event) => event.workflowTaskFailedEventAttributes?.cause === RESET);
  const resetId = reset?.workflowTaskFailedEventAttributes?.newRunId;
  if (resetId) return { temporalRunId: resetId, chainStart: resetId };
  const temporalRunId = started.originalExecutionRunId;
  return { temporalRunId, chainStart: started.firstExecutionRunId || temporalRunId };
}

/** The Temporal run that goes on where this history closes: continued as new, retried or by a schedule. */
export function nextTemporalRunId(history: readonly HistoryEvent[]): string | undefined {
  const last = history.at(-1);
  const closed =
    last?.workflowExecutionContinuedAsNewEventAttributes ??
    last?.workflowExecutionCompletedEventAttributes ??
    last?.workflowExecutionFailedEventAttributes ??
    last?.workflowExecutionTimedOutEventAttributes;
  return closed?.newExecutionRunId || undefined;
}

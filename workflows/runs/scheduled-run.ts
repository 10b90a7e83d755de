import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Json } from '../../domain/json.ts';
import {
  RUN_ENDED_SIGNAL,
  type RunEnded,
  type ScheduleActivities,
  type ScheduledRunArguments,
} from '../../domain/runs/triggers/schedule.ts';

const runEnded = defineSignal<[RunEnded]>(RUN_ENDED_SIGNAL);
const { 'weft.requestScheduledRun': requestScheduledRun, 'weft.stopScheduledRun': stopScheduledRun } =
  proxyActivities<ScheduleActivities>({
    startToCloseTimeout: '30 seconds',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  });

/**
 * Stands for one run of a schedule: asks for it, hands a cancellation on to it, and stays open as long as it is, so that Temporal's
 * overlap policies and `pauseOnFailure` act on the run.
 */
export async function scheduledRun({ tenantId, scheduleId }: ScheduledRunArguments): Promise<Json> {
  const { workflowId, searchAttributes, startTime } = workflowInfo();
  const [scheduled] = searchAttributes['TemporalScheduledStartTime'] ?? [];
  const scheduledTime = (scheduled instanceof Date ? scheduled : startTime).toISOString();
  let cancelled = false;
  // No Trigger, which a cancellation would settle.
  const ended = new Promise<RunEnded>((resolve) => setHandler(runEnded, resolve));

  const request = { tenantId, scheduleId, scheduledTime, holderId: workflowId };
  const found = await CancellationScope.nonCancellable(() => requestScheduledRun(request));
  if (!found) return null;
  const stop = async () => {
    cancelled = true;
    await stopScheduledRun({ holderId: workflowId, reason: 'The schedule cancelled it' });
  };
  CancellationScope.current().cancelRequested.catch(() => CancellationScope.nonCancellable(stop));
  const end = await CancellationScope.nonCancellable(() => ended);
  return outcomeOf(end, cancelled);
}

function outcomeOf(end: RunEnded, cancelled: boolean): Json {
  const { runId, status, code, message } = end;
  if (status === 'COMPLETED') return { runId, status };
  if (status === 'CANCELLED' && cancelled) throw new CancelledFailure(`Run ${runId} was cancelled`);
  throw ApplicationFailure.nonRetryable(message ?? `Run ${runId} ended as ${status}`, code ?? status, {
    runId,
    status,
  });
}

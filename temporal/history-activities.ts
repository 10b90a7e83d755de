import type { temporal } from '@temporalio/proto';
import type { JsonObject } from '../domain/json.ts';
import { failureToRunError, timeoutToRunError } from '../domain/runs/run-error.ts';
import type { DecodePayloads } from './history-payloads.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;
type Mapped = { type: string; payload: JsonObject };

/** Activities that belong to no node, as those of workflows written by hand: what became of each, by the event that scheduled it. */
export async function mapOtherActivity(event: HistoryEvent, decode: DecodePayloads): Promise<Mapped | undefined> {
  const { activityTaskScheduledEventAttributes: scheduled, activityTaskStartedEventAttributes: started } = event;
  if (scheduled) {
    const { activityId, activityType } = scheduled;
    return {
      type: 'activity.scheduled',
      payload: { activityId: activityId ?? '', activityType: activityType?.name ?? '' },
    };
  }
  if (started) {
    return {
      type: 'activity.started',
      payload: { scheduled: Number(started.scheduledEventId), attempt: started.attempt ?? 1 },
    };
  }
  const { activityTaskCompletedEventAttributes: completed, activityTaskCanceledEventAttributes: cancelled } = event;
  if (completed) {
    const [output] = await decode(completed.result?.payloads);
    return {
      type: 'activity.completed',
      payload: { scheduled: Number(completed.scheduledEventId), output: output ?? null },
    };
  }
  if (cancelled) return { type: 'activity.cancelled', payload: { scheduled: Number(cancelled.scheduledEventId) } };
  const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  if (!failed) return undefined;
  return {
    type: 'activity.failed',
    payload: { scheduled: Number(failed.scheduledEventId), error: errorOf(failed.failure) },
  };
}

function errorOf(failure: Failure | null | undefined) {
  if (failure?.timeoutFailureInfo) {
    return timeoutToRunError(TIMEOUTS[failure.timeoutFailureInfo.timeoutType ?? 0] ?? 'UNSPECIFIED', null);
  }
  return failureToRunError(failure?.applicationFailureInfo?.type, failure?.message ?? '', null);
}

/** temporal.api.enums.v1.TimeoutType. */
const TIMEOUTS = ['UNSPECIFIED', 'START_TO_CLOSE', 'SCHEDULE_TO_START', 'SCHEDULE_TO_CLOSE', 'HEARTBEAT'];

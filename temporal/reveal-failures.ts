import type { temporal } from '@temporalio/proto';
import { isJsonObject } from '../domain/json.ts';
import type { DecodePayloads } from './history-payloads.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;

/** Puts messages and stacks of the failures in an event back where they are without a key. */
export async function revealFailures(event: HistoryEvent, decode: DecodePayloads): Promise<void> {
  for (const failure of failuresOf(event)) await revealFailure(failure, decode);
}

/** One of them, without its causes. */
export async function revealFailure(failure: Failure, decode: DecodePayloads): Promise<void> {
  if (!failure.encodedAttributes) return;
  const [attributes] = await decode([failure.encodedAttributes]);
  if (!isJsonObject(attributes)) return;
  const { message, stack_trace: stackTrace } = attributes;
  if (typeof message === 'string') failure.message = message;
  if (typeof stackTrace === 'string') failure.stackTrace = stackTrace;
  failure.encodedAttributes = null;
}

function* failuresOf(event: HistoryEvent): Generator<Failure> {
  const first = [
    event.workflowExecutionFailedEventAttributes?.failure,
    event.workflowExecutionContinuedAsNewEventAttributes?.failure,
    event.workflowExecutionStartedEventAttributes?.continuedFailure,
    event.workflowTaskFailedEventAttributes?.failure,
    event.activityTaskStartedEventAttributes?.lastFailure,
    event.activityTaskFailedEventAttributes?.failure,
    event.activityTaskTimedOutEventAttributes?.failure,
    event.markerRecordedEventAttributes?.failure,
    event.childWorkflowExecutionFailedEventAttributes?.failure,
    event.workflowExecutionUpdateCompletedEventAttributes?.outcome?.failure,
    event.workflowExecutionUpdateRejectedEventAttributes?.failure,
  ];
  for (let failure of first) for (; failure; failure = failure.cause) yield failure;
}

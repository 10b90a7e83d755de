import proto, { type temporal } from '@temporalio/proto';
import type { JsonObject } from '../domain/json.ts';
import { isJsonObject } from '../domain/json.ts';
import { parseActivityId } from '../domain/runs/activity-id.ts';
import { YIELD_TIMER } from '../domain/runs/messages.ts';
import { failureToRunError, parkedUntil, timeoutToRunError } from '../domain/runs/run-error.ts';
import type { RunError } from '../domain/runs/run-event.ts';
import { mapOtherActivity } from './history-activities.ts';
import { mapChildEvent } from './history-children.ts';
import { runFailure, timeoutName } from './history-failures.ts';
import { mapMarker } from './history-markers.ts';
import { mapMessage } from './history-messages.ts';
import type { DecodePayloads } from './history-payloads.ts';
import { revealFailures } from './reveal-failures.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;
const { EventType, WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/** One event of a Temporal history in the store's words; `version` is Temporal's event id. */
export type HistoryStoredEvent = { version: number; type: string; occurredAt: Date; payload: JsonObject };

/** `chunk` for child runs alone: which items of a map. */
type NodeRef = { nodeId: string; iteration: string; chunk?: number | null };
/** Which node each scheduled activity and started timer belongs to, by the id of that event: later events name only the id. */
export type NodeRefs = Map<number, NodeRef>;

export type Mapped = { type: string; payload: JsonObject };
/** Stands for the engine's own timer, by which a long computation gives way. */
const YIELD: NodeRef = { nodeId: YIELD_TIMER, iteration: '' };

/**
 * Maps events of one history in order; `refs` carries what earlier pages said.
 * Every history event becomes exactly one event, so versions stay dense.
 */
export async function historyToEvents(
  history: readonly HistoryEvent[],
  refs: NodeRefs,
  decode: DecodePayloads,
): Promise<HistoryStoredEvent[]> {
  const events: HistoryStoredEvent[] = [];
  for (const event of history) {
    const version = Number(event.eventId);
    // Half of all events are of workflow tasks, which need no decoding.
    const { type, payload } = mapTask(event) ?? (await mapOther(event, version, refs, decode));
    const { seconds, nanos } = event.eventTime ?? {};
    events.push({
      version,
      type,
      payload,
      occurredAt: new Date(Number(seconds ?? 0) * 1000 + Math.floor((nanos ?? 0) / 1e6)),
    });
  }
  return events;
}

/** Puts back what `historyToEvents` had learned, from events that it gave earlier. */
export function recallNodeRef(refs: NodeRefs, event: Pick<HistoryStoredEvent, 'version' | 'type' | 'payload'>): void {
  if (event.type === 'run.yielded') refs.set(event.version, YIELD);
  if (event.type !== 'node.scheduled' && event.type !== 'timer.started' && event.type !== 'child.scheduled') return;
  const { nodeId, iteration, chunk } = event.payload;
  refs.set(event.version, {
    nodeId: nodeId as string,
    iteration: iteration as string,
    ...(chunk === undefined ? {} : { chunk: chunk as number | null }),
  });
}

function mapTask({ eventType }: HistoryEvent): Mapped | undefined {
  switch (eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
      return { type: 'workflow_task.scheduled', payload: {} };
    case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
      return { type: 'workflow_task.started', payload: {} };
    case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
      return { type: 'workflow_task.completed', payload: {} };
    default:
      return undefined;
  }
}

async function mapOther(event: HistoryEvent, id: number, refs: NodeRefs, decode: DecodePayloads): Promise<Mapped> {
  await revealFailures(event, decode);
  const name = EventType[event.eventType ?? 0]?.replace('EVENT_TYPE_', '').toLowerCase() ?? 'unknown';
  const unmapped: Mapped = { type: `temporal.${name}`, payload: {} };
  return (
    (await mapRunEvent(event, decode)) ??
    (await mapActivityEvent(event, id, refs, decode)) ??
    (await mapOtherActivity(event, decode)) ??
    (await mapTimerEvent(event, id, refs, decode)) ??
    (await mapChildEvent(event, id, refs, decode)) ??
    (await mapMarker(event, decode)) ??
    (await mapMessage(event, decode)) ??
    mapBookkeeping(event) ??
    unmapped
  );
}

async function mapRunEvent(event: HistoryEvent, decode: DecodePayloads): Promise<Mapped | undefined> {
  switch (event.eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: {
      const { input, continuedExecutionRunId } = event.workflowExecutionStartedEventAttributes ?? {};
      // The second argument is the definition, which the run's row names already.
      const [args] = await decode(input?.payloads?.slice(0, 1));
      const given = isJsonObject(args) ? args : {};
      const continues = continuedExecutionRunId ? { continues: continuedExecutionRunId } : {};
      const { webhooks, slice, migrated, seed, forked } = given;
      return {
        type: 'run.started',
        payload: {
          input: given['input'] ?? null,
          ...continues,
          ...(webhooks === undefined || continuedExecutionRunId ? {} : { webhooks }),
          ...(slice === undefined || continuedExecutionRunId ? {} : { slice }),
          ...(seed === undefined || continuedExecutionRunId ? {} : { seed }),
          ...(forked === undefined || continuedExecutionRunId ? {} : { forked }),
          ...(migrated === undefined || !continuedExecutionRunId ? {} : { migrated }),
        },
      };
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const [output] = await decode(event.workflowExecutionCompletedEventAttributes?.result?.payloads);
      return { type: 'run.completed', payload: { output: output ?? null } };
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const error = await runFailure(event.workflowExecutionFailedEventAttributes?.failure, decode);
      return { type: 'run.failed', payload: { error } };
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      return reasoned('run.cancel_requested', event.workflowExecutionCancelRequestedEventAttributes?.cause);
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
      return { type: 'run.cancelled', payload: {} };
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      return reasoned('run.terminated', event.workflowExecutionTerminatedEventAttributes?.reason);
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
      return { type: 'run.timed_out', payload: {} };
    default:
      return undefined;
  }
}

const reasoned = (type: string, reason: string | null | undefined): Mapped => ({
  type,
  payload: { reason: reason || null },
});

async function mapActivityEvent(
  event: HistoryEvent,
  id: number,
  refs: NodeRefs,
  decode: DecodePayloads,
): Promise<Mapped | undefined> {
  if (event.activityTaskScheduledEventAttributes) {
    const ref = parseActivityId(event.activityTaskScheduledEventAttributes.activityId ?? '');
    if (!ref) return undefined;
    refs.set(id, ref);
    return { type: 'node.scheduled', payload: { ...ref } };
  }
  const attributes =
    event.activityTaskStartedEventAttributes ??
    event.activityTaskCompletedEventAttributes ??
    event.activityTaskFailedEventAttributes ??
    event.activityTaskTimedOutEventAttributes ??
    event.activityTaskCancelRequestedEventAttributes ??
    event.activityTaskCanceledEventAttributes;
  const ref = refs.get(Number(attributes?.scheduledEventId ?? 0));
  if (!ref) return undefined;
  if (event.activityTaskStartedEventAttributes) {
    return {
      type: 'node.started',
      payload: { ...ref, attempt: event.activityTaskStartedEventAttributes.attempt ?? 1 },
    };
  }
  if (event.activityTaskCompletedEventAttributes) {
    const [output] = await decode(event.activityTaskCompletedEventAttributes.result?.payloads);
    return { type: 'node.completed', payload: { ...ref, output: output ?? null } };
  }
  if (event.activityTaskCancelRequestedEventAttributes) return { type: 'node.cancel_requested', payload: { ...ref } };
  if (event.activityTaskCanceledEventAttributes) return { type: 'node.cancelled', payload: { ...ref } };
  const failure = (event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes)?.failure;
  if (failure?.canceledFailureInfo) return { type: 'node.cancelled', payload: { ...ref } };
  const [details] = await decode(failure?.applicationFailureInfo?.details?.payloads);
  const until = parkedUntil(failure?.applicationFailureInfo?.type, details);
  const error = nodeFailure(failure, ref.nodeId);
  if (until !== null) return { type: 'node.parked', payload: { ...ref, until, error } };
  return { type: 'node.failed', payload: { ...ref, error } };
}

/** The workflow makes the same of the failure that it is given. */
function nodeFailure(failure: Failure | null | undefined, nodeId: string): RunError {
  const timeout = failure?.timeoutFailureInfo;
  if (timeout) return timeoutToRunError(timeoutName(timeout.timeoutType), nodeId);
  return failureToRunError(failure?.applicationFailureInfo?.type, failure?.message ?? '', nodeId);
}

/** A timer names its node in its summary; one without belongs to the workflow's own bookkeeping. */
async function mapTimerEvent(
  event: HistoryEvent,
  id: number,
  refs: NodeRefs,
  decode: DecodePayloads,
): Promise<Mapped | undefined> {
  if (event.timerStartedEventAttributes) {
    const summary = event.userMetadata?.summary;
    const [text] = await decode(summary ? [summary] : []);
    const ref = text === YIELD_TIMER ? YIELD : typeof text === 'string' ? parseActivityId(text) : null;
    if (!ref) return undefined;
    refs.set(id, ref);
    return ref === YIELD ? { type: 'run.yielded', payload: {} } : { type: 'timer.started', payload: { ...ref } };
  }
  if (event.timerFiredEventAttributes) {
    const ref = refs.get(Number(event.timerFiredEventAttributes.startedEventId ?? 0));
    if (ref === YIELD) return { type: 'run.ticked', payload: {} };
    return ref && { type: 'timer.fired', payload: { ...ref } };
  }
  if (event.timerCanceledEventAttributes) {
    const ref = refs.get(Number(event.timerCanceledEventAttributes.startedEventId ?? 0));
    return { type: 'timer.cancelled', payload: { ...ref } };
  }
  return undefined;
}

function mapBookkeeping(event: HistoryEvent): Mapped | undefined {
  switch (event.eventType) {
    case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED: {
      const { cause, failure } = event.workflowTaskFailedEventAttributes ?? {};
      const name = WorkflowTaskFailedCause[cause ?? 0]?.replace('WORKFLOW_TASK_FAILED_CAUSE_', '') ?? null;
      return { type: 'workflow_task.failed', payload: { cause: name, message: failure?.message ?? null } };
    }
    case EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: {
      const timeoutType = timeoutName(event.workflowTaskTimedOutEventAttributes?.timeoutType);
      return { type: 'workflow_task.timed_out', payload: { timeoutType } };
    }
    case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: {
      const fields = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
      return { type: 'search_attributes.upserted', payload: { names: Object.keys(fields ?? {}).sort() } };
    }
    case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: {
      const { newExecutionRunId } = event.workflowExecutionContinuedAsNewEventAttributes ?? {};
      return { type: 'run.continued_as_new', payload: { temporalRunId: newExecutionRunId ?? null } };
    }
    default:
      return undefined;
  }
}

import proto, { type temporal } from '@temporalio/proto';
import { parseActivityId } from '../../domain/runs/activity-id.ts';
import { parseChildRunId } from '../../domain/runs/child-run-id.ts';
import { historyFromJson, historyToJson } from '../history-json.ts';
import type { DecodePayloads } from '../history-payloads.ts';
import { historyToEvents } from '../history-to-events.ts';

type History = temporal.api.history.v1.IHistory;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
const { EventType } = proto.temporal.api.enums.v1;

/** Something that workflow code asks for, as far as it is known. */
export type DescribedCommand = {
  /** Such as `activity`, `timer`, `complete workflow`. */
  kind: string;
  nodeId: string | null;
  /** Which execution of the node. */
  iteration: string | null;
  /** The activity's id or type, the child's workflow id or type. */
  name: string | null;
};

export type Divergence = {
  /** False where the code failed rather than asked for something else. */
  nondeterminism: boolean;
  message: string;
  /** The first event of the history that differs; null where the message leaves it open. */
  event: { id: number; type: string; at: Date } | null;
  nodeId: string | null;
  iteration: string | null;
  /** What the history has there. */
  expected: DescribedCommand | null;
  /** What the code asks for instead; null is nothing, or unknown where it failed. */
  actual: DescribedCommand | null;
};

/** What the SDK's message says, looked up in the history. */
export async function describeDivergence(error: Error, history: History, decode: DecodePayloads): Promise<Divergence> {
  const message = innerMessage(error.message.replace(/^Replay failed .*?Details: /s, ''));
  const events = history.events ?? [];
  const { eventId, actual } = readMessage(message, events);
  const found = events.find((event) => Number(event.eventId) === eventId);
  const expected = found ? commandOf(found, await nodeOf(history, Number(eventId), decode)) : null;
  return {
    nondeterminism: message.includes('[TMPRL1100]'),
    message,
    event: found ? { id: Number(eventId), type: eventName(found), at: timeOf(found) } : null,
    nodeId: expected?.nodeId ?? actual?.nodeId ?? null,
    iteration: expected?.iteration ?? actual?.iteration ?? null,
    expected,
    actual,
  };
}

/** The core shows its failure as Rust does; the first message in it is what happened. */
function innerMessage(text: string): string {
  const quoted = /message: ("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  return (quoted === undefined ? text : unquoted(quoted)).split('\n', 1)[0] ?? '';
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}

type Reading = { eventId: number | null; actual: DescribedCommand | null };

const MISMATCH = /(activity|child workflow) (?:id|type) of (scheduled event|recorded marker) '(.*?)' .*? '(.*?)'/is;
const UNHANDLED = /([a-z ]+?) machine does not handle this event: HistoryEvent\(id: (\d+)/i;
const NAMED_EVENT = /HistoryEvent\(id: (\d+)/;

/** The sentences of the SDK's core, which says no more than these. */
function readMessage(message: string, events: readonly HistoryEvent[]): Reading {
  const mismatch = MISMATCH.exec(message);
  if (mismatch) {
    const [, kind = '', where, recorded = '', asked = ''] = mismatch;
    const candidates = events.filter((event) => namesOf(event).includes(recorded));
    // A type is shared by many events, and only one of them is meant.
    const eventId = candidates.length === 1 ? Number(candidates[0]?.eventId) : null;
    const actual = where === 'recorded marker' ? `local ${kind.toLowerCase()}` : kind.toLowerCase();
    return { eventId, actual: { kind: actual, ...nodeNamed(asked), name: asked } };
  }
  const unhandled = UNHANDLED.exec(message);
  if (unhandled) {
    const kind = (unhandled[1] ?? '').trim().toLowerCase();
    return { eventId: Number(unhandled[2]), actual: { kind, nodeId: null, iteration: null, name: null } };
  }
  const event = NAMED_EVENT.exec(message);
  return { eventId: event ? Number(event[1]) : null, actual: null };
}

type NamedNode = Pick<DescribedCommand, 'nodeId' | 'iteration'>;

function nodeNamed(name: string): NamedNode {
  const node = parseActivityId(name) ?? parseChildRunId(name);
  return { nodeId: node?.nodeId ?? null, iteration: node?.iteration ?? null };
}

/** Of a copy: making events of a history opens its failures in place. */
async function nodeOf(history: History, eventId: number, decode: DecodePayloads): Promise<NamedNode> {
  const { events } = historyFromJson(historyToJson(history));
  const mapped = await historyToEvents(events ?? [], new Map(), decode);
  const { nodeId, iteration } = mapped.find(({ version }) => version === eventId)?.payload ?? {};
  return {
    nodeId: typeof nodeId === 'string' ? nodeId : null,
    iteration: typeof iteration === 'string' ? iteration : null,
  };
}

/** The names by which a command's event may be compared. */
function namesOf(event: HistoryEvent): string[] {
  const activity = event.activityTaskScheduledEventAttributes;
  const child = event.startChildWorkflowExecutionInitiatedEventAttributes;
  const names = [activity?.activityId, activity?.activityType?.name, child?.workflowId, child?.workflowType?.name];
  return names.filter((name): name is string => typeof name === 'string' && name !== '');
}

const COMMAND_KINDS: Readonly<Record<string, string>> = {
  ACTIVITY_TASK_SCHEDULED: 'activity',
  TIMER_STARTED: 'timer',
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: 'child workflow',
  MARKER_RECORDED: 'local activity',
  WORKFLOW_EXECUTION_COMPLETED: 'complete workflow',
  WORKFLOW_EXECUTION_FAILED: 'fail workflow',
  WORKFLOW_EXECUTION_CANCELED: 'cancel workflow',
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 'continue as new workflow',
};

function commandOf(event: HistoryEvent, node: NamedNode): DescribedCommand {
  const name = eventName(event);
  return {
    kind: COMMAND_KINDS[name] ?? name.toLowerCase().replaceAll('_', ' '),
    ...node,
    name: namesOf(event)[0] ?? null,
  };
}

const eventName = ({ eventType }: HistoryEvent): string =>
  EventType[eventType ?? 0]?.replace('EVENT_TYPE_', '') ?? 'UNKNOWN';

const timeOf = ({ eventTime }: HistoryEvent): Date => new Date(Number(eventTime?.seconds ?? 0) * 1000);

import { AppError } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { approvalTimeoutOutcome, nextApprovalDeadline } from './approval.ts';
import type { Change } from './change.ts';
import type { ReceivedEvent } from './messages.ts';
import type { Place } from './place.ts';
import type { Outcome } from './run-inline-node.ts';
import type { NodeState } from './run-state.ts';
import { schemaProblem } from './schema-problem.ts';

/** A node that waits begins to: for a timer, a person, an event. */
export function openWait(change: Change, place: Place, input: JsonObject): void {
  const waiting: Partial<NodeState> = { status: 'WAITING', input, startedAt: change.at };
  switch (place.node.type) {
    case 'delay':
      return open(change, place, waiting, change.at + Number(input['durationMs']));
    case 'until':
      // By a timer also when the moment is past: the clock of the workflow and that of its history are some ms apart.
      return open(change, place, waiting, momentOf(input['at'] ?? null));
    case 'approval':
      return open(change, place, waiting, nextApprovalDeadline({ input, startedAt: change.at, stage: 0 }));
    case 'wait':
      if (input['atOnce'] === true) return takeAll(change, place, waiting);
      open(change, place, waiting, timeoutOf(change, input));
      return takeFromInbox(change, place);
    default:
      return open(change, place, waiting, timeoutOf(change, input));
  }
}

function open(change: Change, place: Place, waiting: Partial<NodeState>, deadline: number | null): void {
  change.set(place, { ...waiting, deadline, due: deadline !== null });
}

const timeoutOf = (change: Change, input: JsonObject): number | null =>
  typeof input['timeoutMs'] === 'number' ? change.at + input['timeoutMs'] : null;

function momentOf(at: Json): number {
  const moment = typeof at === 'string' && /^\d{4}-\d\d-\d\dT/.test(at) ? Date.parse(at) : at;
  if (typeof moment === 'number' && Number.isFinite(moment)) return moment;
  throw new AppError('EXPRESSION_FAILED', {
    expression: 'at',
    detail: `gave ${JSON.stringify(at)}, not a moment as RFC 3339 or in ms`,
  });
}

/** An activity that gave way gets its turn again when the moment has come. */
export function parkNode(change: Change, place: Place | null, until: number): void {
  if (place === null) return;
  if (change.closing) return change.cancel(place);
  change.set(place, { status: 'WAITING', deadline: until, due: true, attempts: 0 });
}

/** Somebody wants such an activity tried before its moment. */
export function goOnNow(change: Change, place: Place | null): void {
  if (place?.node.row.class === 'activity') timeUp(change, place);
}

/** The timer of a waiting node has fired. */
export function timeUp(change: Change, place: Place | null): void {
  if (place === null) return;
  const node = change.get(place);
  if (place.node.row.class === 'activity') {
    return change.set(place, { status: 'PENDING', deadline: null, due: true, solo: true });
  }
  switch (place.node.type) {
    case 'delay':
    case 'until':
      return change.complete(place, { output: null, port: null });
    case 'approval': {
      const stage = node.stage + 1;
      const escalated = isJsonObject(node.input) && stage <= escalationsBefore(node);
      if (!escalated) return change.decide(place, () => approvalTimeoutOutcome(node.input));
      const deadline = nextApprovalDeadline({ input: node.input, startedAt: node.startedAt ?? change.at, stage });
      return change.set(place, { stage, deadline, due: deadline !== null });
    }
    default:
      return change.decide(place, () => timeoutOutcome(node.input));
  }
}

/** Escalations that fall before the approval's own timeout. */
function escalationsBefore({ input }: NodeState): number {
  const { escalation, timeoutMs } = input as JsonObject;
  const stages = Array.isArray(escalation) ? escalation : [];
  const limit = typeof timeoutMs === 'number' ? timeoutMs : Infinity;
  return stages.filter((stage) => isJsonObject(stage) && Number(stage['afterMs']) < limit).length;
}

function timeoutOutcome(input: Json): Outcome {
  const { onTimeout, timeoutMs } = input as JsonObject;
  if (onTimeout === 'route') return { output: null, port: 'timed_out' };
  throw new AppError('WAIT_TIMED_OUT', { timeoutMs });
}

/** Wakes every node that waits for such an event; one that nobody waits for yet is kept. */
export function receiveEvent(change: Change, event: ReceivedEvent, inboxLimit: number): void {
  const { state } = change;
  if (state.seenEvents.includes(event.id)) return;
  change.patchState({ seenEvents: [...state.seenEvents, event.id].slice(-inboxLimit) });
  const woken = [...change.executions()].filter(
    ({ place, current }) => place.node.type === 'wait' && current.status === 'WAITING' && fits(current.input, event),
  );
  for (const { place } of woken) deliver(change, place, event);
  if (woken.length === 0) change.patchState({ inbox: [...state.inbox, event].slice(-inboxLimit) });
}

function takeFromInbox(change: Change, place: Place): void {
  const { input } = change.get(place);
  const event = change.state.inbox.find((one) => fits(input, one));
  if (event === undefined) return;
  change.patchState({ inbox: change.state.inbox.filter((one) => one !== event) });
  deliver(change, place, event);
}

/** What has come and nobody waited for, without waiting for more. */
function takeAll(change: Change, place: Place, waiting: Partial<NodeState>): void {
  const { input = null } = waiting;
  const { inbox } = change.state;
  const events = inbox.filter((one) => fits(input, one));
  if (events.length > 0) change.patchState({ inbox: inbox.filter((one) => !events.includes(one)) });
  open(change, place, waiting, null);
  const output = { events: events.map(({ id, name, correlation, data }) => ({ id, name, correlation, data })) };
  change.complete(place, { output, port: 'received' });
}

function deliver(change: Change, place: Place, { id, name, correlation, data }: ReceivedEvent): void {
  change.complete(place, { output: { id, name, correlation, data }, port: 'received' });
}

function fits(input: Json, event: ReceivedEvent): boolean {
  const { event: name, correlation, schema } = input as JsonObject;
  if (name !== event.name) return false;
  if (correlation !== undefined && correlation !== null && String(correlation) !== event.correlation) return false;
  return schema === undefined || schemaProblem(schema, event.data) === null;
}

import { AppError } from '../errors.ts';
import type { Json } from '../json.ts';
import { approvalOutcome, isDecided } from './approval.ts';
import { Change } from './change.ts';
import type { CompiledDefinition } from './compile.ts';
import { LIMITS } from './limits.ts';
import { chunkCompleted, chunkFailed, chunkScheduled, openSlice } from './map.ts';
import type { ChildResult } from './messages.ts';
import { applyGroup } from './group-results.ts';
import { afterContinuation, requestRetry, requestSkip, resumeRun, setVariable } from './operate.ts';
import type { Place } from './place.ts';
import { placeOf } from './place.ts';
import { toRunError } from './run-error.ts';
import { answerQuestion, askQuestion, questionIn } from './tool-question.ts';
import type { RunError, RunEvent } from './run-event.ts';
import { seeded } from './rerun/seeded.ts';
import { goOnForked } from './rerun/fork-state.ts';
import { rootBody, type RunState } from './run-state.ts';
import { isClosed, isSettled, type RunStatus } from './run-status.ts';
import { undoEvent, undoEventOf } from './undo.ts';
import { goOnNow, parkNode, receiveEvent, timeUp } from './wait-node.ts';

type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/**
 * The state after an event. Pure and total: an event that does not fit the state (a late result, an unknown node) changes nothing.
 * Whatever becomes computable by the event is computed at once: skips spread, inline nodes run, waits open, bodies begin and end,
 * activities become due.
 */
export function evolve(compiled: CompiledDefinition, state: RunState, event: RunEvent): RunState {
  if (isClosed(state.status)) return state;
  switch (event.type) {
    case 'run.started':
      return start(compiled, state, event);
    case 'run.completed':
      return close(state, event.at, 'COMPLETED', event.output, null);
    case 'run.failed':
      return close(state, event.at, 'FAILED', null, event.error);
    case 'run.cancelled':
      return close(state, event.at, 'CANCELLED', null, null);
    case 'run.terminated':
      return close(state, event.at, 'TERMINATED', null, null);
    case 'run.timed_out':
      return close(state, event.at, 'TIMED_OUT', null, toRunError(new AppError('RUN_TIMED_OUT'), null));
    case 'run.continued_as_new':
      return afterContinuation(compiled, state);
    default: {
      const change = new Change(compiled, state, event.at);
      apply(change, event);
      return change.finish();
    }
  }
}

function start(compiled: CompiledDefinition, state: RunState, event: EventOf<'run.started'>): RunState {
  if (state.status !== 'PENDING') return state;
  const { at, input, webhooks = {}, seed, forked } = event;
  if (forked) return goOnForked(compiled, forked, { at, webhooks });
  const begun: RunState = { ...state, status: 'RUNNING', input, webhooks, startedAt: at };
  const change = new Change(compiled, seed ? seeded(begun, seed) : begun, at);
  for (const node of rootBody(compiled, state.slice)) {
    const place = placeOf(compiled, state.slice, node, state.slice?.iteration ?? '1');
    if (state.slice) openSlice(change, place);
    else if (node.predecessors.length === 0) change.ready(place);
  }
  return change.finish();
}

function close(state: RunState, at: number, status: RunStatus, output: Json, error: RunError | null): RunState {
  const nodes = state.nodes.map((node) =>
    isSettled(node.status) ? node : { ...node, status: 'CANCELLED' as const, due: false, closedAt: at },
  );
  const dropped = Object.values(state.scopes).flatMap((scope) =>
    scope.nodes.map((node) =>
      isSettled(node.status) ? node : { ...node, status: 'CANCELLED' as const, due: false, closedAt: at },
    ),
  );
  return {
    ...state,
    status,
    output,
    error,
    now: at,
    closedAt: at,
    nodes,
    dropped,
    open: 0,
    scopes: {},
    agenda: [],
    backlog: [],
    parked: [],
    paused: null,
    busy: 0,
    waiting: 0,
  };
}

function apply(change: Change, event: RunEvent): void {
  const undo = undoEventOf(event);
  if (undo) return undoEvent(change, undo);
  switch (event.type) {
    case 'node.scheduled':
      return scheduled(change, event);
    case 'node.started':
      return change.patch(change.find(event, 'RUNNING'), { attempts: event.attempt });
    case 'node.completed':
      return completed(change, change.find(event, 'RUNNING'), event.output);
    case 'node.failed':
      return change.fail(change.find(event, 'RUNNING'), event.error);
    case 'node.parked':
      return parkNode(change, change.find(event, 'RUNNING'), event.until);
    case 'node.cancelled':
      return change.cancel(change.find(event, 'RUNNING'));
    case 'group.completed':
      return applyGroup(change, event.results);
    case 'group.failed':
      return change.patch(change.find(event, 'PENDING'), { solo: true });
    case 'child.scheduled':
    case 'child.started':
    case 'child.completed':
    case 'child.failed':
      return childEvent(change, event);
    case 'timer.started':
      return change.patch(change.find(event, 'WAITING'), { due: false });
    case 'timer.fired':
      return timeUp(change, change.find(event, 'WAITING'));
    case 'approval.decided':
      return decided(change, event);
    case 'event.received':
      return receiveEvent(change, event, LIMITS.inbox);
    case 'webhook.received': {
      const place = change.find(event, 'WAITING');
      if (place?.node.type === 'webhook') change.complete(place, { output: { data: event.data }, port: 'received' });
      return;
    }
    case 'node.retry_requested':
      requestRetry(change, change.find(event, 'FAILED'));
      return goOnNow(change, change.find(event, 'WAITING'));
    case 'node.skip_requested':
      return requestSkip(change, event);
    case 'variable.set':
      return setVariable(change, event.name, event.value);
    case 'run.paused':
      return change.patchState({ paused: change.state.paused ?? { reason: event.reason, by: event.by } });
    case 'run.resumed':
      return resumeRun(change);
    case 'run.yielded':
      return change.patchState({ yielding: true });
    case 'run.ticked':
      change.patchState({ yielding: false });
      return change.resume();
    case 'run.cancel_requested':
      change.patchState({ cancelRequested: true });
      return change.doom(null);
    default:
  }
}

function scheduled(change: Change, event: EventOf<'node.scheduled'>): void {
  const place = change.find(event, 'PENDING');
  if (place) {
    const startedAt = change.get(place).startedAt ?? change.at;
    return change.set(place, { status: 'RUNNING', due: false, startedAt });
  }
  // The activity by which a later link of the run waits for a child of an earlier one.
  const child = change.find(event, 'RUNNING');
  if (child?.node.row.class === 'child') change.set(child, { attached: true, due: false });
}

function completed(change: Change, place: Place | null, output: Json): void {
  const question = place && questionIn(place, output);
  if (question) return askQuestion(change, place, question);
  if (place?.node.row.class === 'child') childCompleted(change, place, output as unknown as ChildResult);
  else change.complete(place, { output, port: null });
}

function childEvent(
  change: Change,
  event: EventOf<'child.scheduled' | 'child.started' | 'child.completed' | 'child.failed'>,
): void {
  const { chunk } = event;
  const place = change.find(event, event.type === 'child.scheduled' && chunk === null ? 'PENDING' : 'RUNNING');
  if (place === null) return;
  switch (event.type) {
    case 'child.scheduled':
      if (chunk !== null) return chunkScheduled(change, place, chunk);
      return change.set(place, { status: 'RUNNING', due: false, attached: true, startedAt: change.at });
    case 'child.started':
      return chunk === null ? change.set(place, { attempts: 1 }) : undefined;
    case 'child.completed': {
      const result = event.output as unknown as ChildResult;
      if (chunk === null) return childCompleted(change, place, result);
      change.undos = [...change.undos, ...result.undos];
      return chunkCompleted(change, place, chunk, result.output);
    }
    case 'child.failed':
      if (chunk !== null) return chunkFailed(change, place, chunk, event.error);
      return change.closing ? change.cancel(place) : change.fail(place, event.error);
  }
}

function childCompleted(change: Change, place: Place, { output, undos }: ChildResult): void {
  change.undos = [...change.undos, ...undos];
  change.complete(place, { output, port: null });
}

function decided(change: Change, event: EventOf<'approval.decided'>): void {
  const place = change.find(event, 'WAITING');
  if (place?.node.type === 'tool.call') return answerQuestion(change, place, event);
  if (place?.node.type !== 'approval') return;
  const { input, stage, answers: earlier } = change.get(place);
  const { decision, comment, data, decidedBy } = event;
  const answers = [...earlier, { decision, comment, data: data ?? null, decidedBy }];
  change.set(place, { answers });
  if (isDecided(input, stage, answers)) change.decide(place, () => approvalOutcome(input, event, answers));
}

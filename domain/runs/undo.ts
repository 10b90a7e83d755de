import { undoId } from './activity-id.ts';
import type { Change } from './change.ts';
import { contextAt } from './context.ts';
import { isNodeType, nodeTypeRow } from './node-types.ts';
import type { Place } from './place.ts';
import { resolveConfig } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunEvent } from './run-event.ts';
import type { UndoState } from './run-state.ts';

type NodeEvent = Extract<RunEvent, { nodeId: string }>;

/** The event, when it is about the undo of a node. */
export function undoEventOf(event: RunEvent): NodeEvent | null {
  return 'nodeId' in event && event.nodeId?.endsWith('.undo') ? event : null;
}

export function undoEvent(change: Change, event: NodeEvent): void {
  const index = change.undos.findLastIndex((undo) => undo.id === event.nodeId && undo.iteration === event.iteration);
  const undo = change.undos[index];
  if (undo === undefined) return;
  const set = (status: UndoState['status'], fields: Partial<UndoState>): void => {
    change.undos = change.undos.with(index, { ...undo, status, ...fields });
  };
  const running = undo.status === 'RUNNING';
  switch (event.type) {
    case 'node.scheduled':
      return undo.status === 'PENDING' ? set('RUNNING', { startedAt: change.at }) : undefined;
    case 'node.started':
      return running ? set('RUNNING', { attempts: event.attempt }) : undefined;
    case 'node.completed':
      return running ? set('COMPLETED', { output: event.output, closedAt: change.at }) : undefined;
    case 'node.parked':
    case 'node.failed':
      return running ? set('FAILED', { error: { ...event.error, nodeId: undo.id }, closedAt: change.at }) : undefined;
    case 'node.cancelled':
      return running ? set('CANCELLED', { closedAt: change.at }) : undefined;
    default:
  }
}

/** The undo stands by with its config resolved, so that it needs nothing of a body that may be gone by then. */
export function keepUndo(change: Change, place: Place): void {
  const { undo } = place.node.definition;
  if (undo === undefined || !isNodeType(undo.type) || change.state.seed?.rehearsal) return;
  const { name, retry, timeouts, taskQueue } = undo;
  const entry: UndoState = {
    id: undoId(place.node.id),
    type: undo.type,
    status: 'PENDING',
    iteration: place.iteration,
    attempts: 0,
    input: null,
    output: null,
    error: null,
    startedAt: null,
    closedAt: null,
    options: {
      ...(name === undefined ? {} : { name }),
      ...(retry === undefined ? {} : { retry }),
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(taskQueue === undefined ? {} : { taskQueue }),
    },
  };
  try {
    const resolved = { row: nodeTypeRow(undo.type), config: undo.config ?? {} };
    change.undos = [...change.undos, { ...entry, input: resolveConfig(resolved, contextAt(change, place)) }];
  } catch (error) {
    // Said when its turn comes: the node itself has done its work.
    change.undos = [...change.undos, { ...entry, status: 'FAILED', error: toRunError(error, entry.id) }];
  }
}

/** The undo whose turn it is: the last completed node first, one at a time. Null while one is under way or when none is left. */
export function nextUndo(undos: readonly UndoState[]): UndoState | null {
  if (undos.some((undo) => undo.status === 'RUNNING')) return null;
  return undos.findLast((undo) => undo.status === 'PENDING') ?? null;
}

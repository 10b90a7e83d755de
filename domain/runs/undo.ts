import type { Change } from './change.ts';
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
    case 'node.failed':
      return running ? set('FAILED', { error: { ...event.error, nodeId: undo.id }, closedAt: change.at }) : undefined;
    case 'node.cancelled':
      return running ? set('CANCELLED', { closedAt: change.at }) : undefined;
    default:
  }
}

/** The undo whose turn it is: the last completed node first, one at a time. Null while one is under way or when none is left. */
export function nextUndo(undos: readonly UndoState[]): UndoState | null {
  if (undos.some((undo) => undo.status === 'RUNNING')) return null;
  return undos.findLast((undo) => undo.status === 'PENDING') ?? null;
}

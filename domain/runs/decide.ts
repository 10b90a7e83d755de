import type { NodeId } from '../identifiers.ts';
import { isJsonObject, type Json } from '../json.ts';
import { AppError } from '../errors.ts';
import type { CompiledDefinition } from './compile.ts';
import { contextOf, evaluateMapping } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { RunError } from './run-event.ts';
import { isClosed, isSettled } from './run-status.ts';
import type { RunState } from './run-state.ts';

export type Command =
  | { type: 'scheduleActivity'; nodeId: NodeId; iteration: number }
  | { type: 'startTimer'; nodeId: NodeId; iteration: number; durationMs: number }
  | { type: 'completeRun'; output: Json }
  | { type: 'failRun'; error: RunError }
  | { type: 'cancelRun' };

/** What is due now, in definition order. Asking again without an event in between gives the same answer. */
export function decide(compiled: CompiledDefinition, state: RunState): Command[] {
  if (state.status === 'PENDING' || isClosed(state.status)) return [];
  if (state.cancelRequested) return [{ type: 'cancelRun' }];
  const error = state.nodes.find((node) => node.status === 'FAILED')?.error ?? cancellationError(state);
  const cancelOnFailure = compiled.definition.policies?.onNodeFailure === 'cancel';
  const settled = state.nodes.every((node) => isSettled(node.status));
  if (error && (settled || cancelOnFailure)) return [{ type: 'failRun', error }];
  if (settled) return [finish(compiled, state)];
  return state.nodes.flatMap((node): Command[] => {
    if (node.due) return [{ type: 'scheduleActivity', nodeId: node.id, iteration: node.iteration }];
    if (node.status !== 'WAITING' || node.timerStarted) return [];
    const durationMs = timerOf(node.type, node.input);
    return durationMs === null ? [] : [{ type: 'startTimer', nodeId: node.id, iteration: node.iteration, durationMs }];
  });
}

/** An activity that was cancelled while the run was not: its followers are lost as after a failure. */
function cancellationError(state: RunState): RunError | null {
  const node = state.nodes.find(({ status, startedAt }) => status === 'CANCELLED' && startedAt !== null);
  return node ? toRunError(new AppError('NODE_FAILED', { detail: `Node ${node.id} was cancelled` }), node.id) : null;
}

function timerOf(type: string, input: Json): number | null {
  const duration = isJsonObject(input) ? input[type === 'delay' ? 'durationMs' : 'timeoutMs'] : null;
  return typeof duration === 'number' ? duration : null;
}

function finish(compiled: CompiledDefinition, state: RunState): Command {
  const mapping = compiled.definition.output;
  if (mapping === undefined) return { type: 'completeRun', output: null };
  try {
    return { type: 'completeRun', output: evaluateMapping(mapping, contextOf(compiled, state, state.nodes)) };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { type: 'failRun', error: toRunError(new AppError('OUTPUT_INVALID', { detail }, error), null) };
  }
}

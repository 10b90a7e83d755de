import { AppError } from '../errors.ts';
import type { CompiledDefinition } from './compile.ts';
import type { NodeType } from './node-types.ts';
import type { NodeState, RunState } from './run-state.ts';
import { executionsOf } from './run-state.ts';
import { isClosed } from './run-status.ts';

/**
 * The execution of a node that waits for something from outside; without an iteration the only one that does.
 * @throws AppError NOT_FOUND, NOT_WAITING
 */
export function waitingNode(
  compiled: CompiledDefinition,
  state: RunState,
  { nodeId, iteration = null }: { nodeId: string; iteration?: string | null },
  type: NodeType,
  now: number,
): NodeState {
  const refuse = (detail: string) => new AppError('NOT_WAITING', { nodeId, what: type, detail });
  const node = compiled.nodes[compiled.indexOf.get(nodeId) ?? -1];
  if (node === undefined) throw new AppError('NOT_FOUND', { what: 'Node', id: nodeId });
  if (node.type !== type) throw refuse(`its type is ${node.type}`);
  if (isClosed(state.status) || state.cancelRequested || state.doomed) throw refuse('the run is closing');
  const found = executionsOf(state).filter(
    (one): one is NodeState => one.id === nodeId && (iteration === null || one.iteration === iteration) && 'due' in one,
  );
  const waiting = found.filter((one) => one.status === 'WAITING');
  const [first] = waiting;
  if (first === undefined) throw refuse(`its status is ${found[0]?.status ?? 'PENDING'}`);
  if (waiting.length > 1) throw refuse(`${waiting.length} executions wait: name the iteration`);
  if (hasTimedOut(first, now)) throw refuse('it has timed out');
  return first;
}

/** An escalation does not end the wait, its timeout does. */
function hasTimedOut({ deadline, startedAt, input }: NodeState, now: number): boolean {
  const { timeoutMs } = input as { timeoutMs?: number };
  return timeoutMs !== undefined && deadline !== null && now >= deadline && deadline >= (startedAt ?? 0) + timeoutMs;
}

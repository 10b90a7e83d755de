import { AppError } from '../errors.ts';
import type { CompiledDefinition } from './compile.ts';
import type { DeliverArguments, NodeArguments, SetVariableArguments, SkipArguments } from './messages.ts';
import { nodeTypeRow } from './node-types.ts';
import { executionsOf, type NodeState, type RunState } from './run-state.ts';
import { isClosed, isSettled } from './run-status.ts';
import { schemaProblem } from './schema-problem.ts';
import { waitingNode } from './waiting-node.ts';

/** @throws AppError NOT_FOUND, NOT_WAITING, INPUT_INVALID */
export function assertCanDeliver(
  compiled: CompiledDefinition,
  state: RunState,
  request: DeliverArguments,
  now: number,
): void {
  const { input } = waitingNode(compiled, state, request, 'webhook', now);
  const schema = (input as { schema?: never }).schema;
  const problem = schema === undefined ? null : schemaProblem(schema, request.data ?? null);
  if (problem !== null) throw new AppError('INPUT_INVALID', { detail: `data ${problem}` });
}

/** @throws AppError RUN_CLOSED */
export function assertCanPause(state: RunState): void {
  if (isClosed(state.status) || state.cancelRequested || state.doomed) throw closed(state);
}

/** @throws AppError RUN_CLOSED, NOT_PAUSED */
export function assertCanResume(state: RunState): void {
  assertCanPause(state);
  if (state.paused === null) throw new AppError('NOT_PAUSED');
}

/** @throws AppError NOT_FOUND, RUN_CLOSED, NOT_RETRYABLE */
export function assertCanRetry(compiled: CompiledDefinition, state: RunState, request: NodeArguments): void {
  assertCanPause(state);
  const node = execution(compiled, state, request, (one) => one.status === 'FAILED' || hasGivenWay(one));
  if (hasGivenWay(node)) return;
  const parked = state.parked.some(
    (one) => compiled.nodes[one.node]?.id === node.id && one.iteration === node.iteration,
  );
  if (!parked) throw new AppError('NOT_RETRYABLE', { nodeId: node.id, detail: `its status is ${node.status}` });
}

/** An activity that waits for a moment. */
const hasGivenWay = ({ status, type }: NodeState): boolean =>
  status === 'WAITING' && nodeTypeRow(type).class === 'activity';

/** @throws AppError NOT_FOUND, RUN_CLOSED, NOT_SKIPPABLE */
export function assertCanSkip(compiled: CompiledDefinition, state: RunState, request: SkipArguments): void {
  assertCanPause(state);
  const node = execution(compiled, state, request, (one) => !isSettled(one.status) || one.status === 'FAILED');
  const refuse = (detail: string) => new AppError('NOT_SKIPPABLE', { nodeId: node.id, detail });
  if (node.container !== null) throw refuse('its body has begun; skip the nodes inside');
  if (!isSettled(node.status)) return;
  const parked = state.parked.some(
    (one) => compiled.nodes[one.node]?.id === node.id && one.iteration === node.iteration,
  );
  if (!parked) throw refuse(`its status is ${node.status}`);
}

/** @throws AppError RUN_CLOSED, VARIABLE_UNKNOWN */
export function assertCanSetVariable(
  compiled: CompiledDefinition,
  state: RunState,
  { name }: SetVariableArguments,
): void {
  assertCanPause(state);
  if (!Object.hasOwn(compiled.definition.variables ?? {}, name)) throw new AppError('VARIABLE_UNKNOWN', { name });
}

const closed = ({ status }: RunState): AppError =>
  new AppError('RUN_CLOSED', { runId: '', runStatus: isClosed(status) ? status : 'closing' });

/** The execution meant: the one of that iteration, else the only one that fits. */
function execution(
  compiled: CompiledDefinition,
  state: RunState,
  { nodeId, iteration = null }: NodeArguments,
  fits: (node: NodeState) => boolean,
): NodeState {
  if (!compiled.indexOf.has(nodeId)) throw new AppError('NOT_FOUND', { what: 'Node', id: nodeId });
  const found = executionsOf(state).filter(
    (one): one is NodeState => 'due' in one && one.id === nodeId && (iteration === null || one.iteration === iteration),
  );
  const [first, ...others] = found.filter(fits);
  if (others.length > 0 && iteration === null) {
    const detail = `${others.length + 1} executions of node ${nodeId} are under way: name the iteration`;
    throw new AppError('INPUT_INVALID', { detail });
  }
  const node = first ?? found[0];
  if (node === undefined) throw new AppError('NOT_FOUND', { what: 'Execution of node', id: nodeId });
  return node;
}

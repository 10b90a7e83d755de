import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import { portsOf } from '../node-types.ts';
import { executionsOf, type NodeState, type RunState } from '../run-state.ts';
import { isSettled } from '../run-status.ts';
import { type Correspondence, suggestTargets } from './node-mapping.ts';

/** Why a run cannot go on in another version as it is. */
export type MigrationProblemCode =
  | 'RUN_CLOSED'
  | 'RUN_IS_SLICE'
  | 'MAPPING_INVALID'
  /** The node has a result, and the new version has no such node. */
  | 'RESULT_VANISHED'
  /** The node is under way, and the new version has no such node. */
  | 'IN_FLIGHT_VANISHED'
  | 'TYPE_CHANGED'
  /** The node has moved into another body. */
  | 'PARENT_CHANGED'
  /** The node was left by a port that it no longer has. */
  | 'PORT_VANISHED';

export type MigrationProblem = {
  code: MigrationProblemCode;
  nodeId: string | null;
  message: string;
  /** Nodes of the new version that may be meant. */
  suggestions: string[];
};

export const migrationProblem = (
  code: MigrationProblemCode,
  node: string | null,
  message: string,
  suggestions: string[] = [],
): MigrationProblem => ({ code, nodeId: node, message, suggestions });

/** Done, by itself or on somebody's word; what was only passed over has none. */
export function hasResult(node: NodeState): boolean {
  if (node.status === 'COMPLETED' || node.status === 'FAILED') return true;
  if (node.status === 'SKIPPED') return node.port !== null;
  return node.status === 'CANCELLED' && node.startedAt !== null;
}

const isUnderWay = ({ status }: NodeState): boolean => status === 'RUNNING' || status === 'WAITING';

/** One problem for each old node, whatever the number of its executions. */
export function findObstacles({
  from,
  to,
  state,
  nodes,
}: {
  from: CompiledDefinition;
  to: CompiledDefinition;
  state: RunState;
  nodes: Correspondence;
}): MigrationProblem[] {
  const found = new Map<string, MigrationProblem>();
  for (const execution of executionsOf(state)) {
    if (!('due' in execution) || found.has(execution.id)) continue;
    if (!hasResult(execution) && !isUnderWay(execution)) continue;
    const old = from.nodes[from.indexOf.get(execution.id) ?? -1];
    const problem = old && obstacle({ from, to, nodes }, old, execution);
    if (problem) found.set(execution.id, problem);
  }
  return [...found.values()];
}

function obstacle(
  { from, to, nodes }: { from: CompiledDefinition; to: CompiledDefinition; nodes: Correspondence },
  old: CompiledNode,
  execution: NodeState,
): MigrationProblem | null {
  const target = nodes.targetOf(old.id);
  const done = isSettled(execution.status);
  const suggest = () => suggestTargets(from, to, old, nodes);
  const what = done ? 'has a result' : 'is under way';
  if (target === null) {
    if (done && nodes.isLetGo(old.id)) return null;
    const code = done ? 'RESULT_VANISHED' : 'IN_FLIGHT_VANISHED';
    return migrationProblem(code, old.id, `Node ${old.id} ${what}, but the new version does not have it`, suggest());
  }
  if (target.type !== old.type) {
    const message = `Node ${old.id} ${what} as ${old.type}, but is ${target.type} in the new version`;
    return migrationProblem('TYPE_CHANGED', old.id, message, suggest());
  }
  const parent = old.parent === null ? null : nodes.targetOf(from.nodes[old.parent]?.id ?? '');
  if ((parent?.index ?? null) !== target.parent) {
    return migrationProblem('PARENT_CHANGED', old.id, `Node ${old.id} ${what}, but is in another body now`, suggest());
  }
  if (done && execution.port !== null && !portsOf(target.definition).includes(execution.port)) {
    const message = `Node ${old.id} was left by port ${execution.port}, which it no longer has`;
    return migrationProblem('PORT_VANISHED', old.id, message);
  }
  return null;
}

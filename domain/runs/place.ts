import type { Json } from '../json.ts';
import type { Iteration } from './activity-id.ts';
import { FIRST_ITERATION } from './activity-id.ts';
import type { CompiledDefinition, CompiledNode } from './compile.ts';
import type { NodeState, RunState, Slice } from './run-state.ts';

/** Key of the root body among the scopes. */
export const ROOT = '';

/** One execution of a node: where its state is. */
export type Place = { readonly node: CompiledNode; readonly iteration: Iteration; readonly scope: string };

export function placeOf(
  compiled: CompiledDefinition,
  slice: Slice | null,
  node: CompiledNode,
  iteration: Iteration,
): Place {
  const atRoot = node.parent === null || node.id === slice?.nodeId;
  return { node, iteration, scope: atRoot ? ROOT : scopeKey(compiled, node.parent, iteration) };
}

export function scopeKey(compiled: CompiledDefinition, container: number, iteration: Iteration): string {
  return `${compiled.nodes[container]?.id}#${iteration}`;
}

/** The iteration of an execution `depth` containers deep around one whose iteration is given. */
export function outerIteration(iteration: Iteration, depth: number): Iteration {
  return depth === 0 ? FIRST_ITERATION : iteration.split('.').slice(0, depth).join('.');
}

/** Where in the list of a body's states a node is. */
export function positionOf(node: CompiledNode, slice: Slice | null): number {
  return node.id === slice?.nodeId ? 0 : node.position;
}

/** The state of one execution; undefined when its body is not under way. */
export function findNode(
  compiled: CompiledDefinition,
  state: Pick<RunState, 'nodes' | 'scopes' | 'slice'>,
  nodeId: string,
  iteration: Iteration,
): NodeState | undefined {
  const node = compiled.nodes[compiled.indexOf.get(nodeId) ?? -1];
  if (node === undefined) return undefined;
  const { scope } = placeOf(compiled, state.slice, node, iteration);
  const found = (scope === ROOT ? state.nodes : state.scopes[scope]?.nodes)?.[positionOf(node, state.slice)];
  return found?.id === node.id && found.iteration === iteration ? found : undefined;
}

/** What expressions see of a node. */
export function nodeView(node: Pick<NodeState, 'status' | 'output' | 'port' | 'error'> | undefined): Json {
  return node === undefined ? null : { status: node.status, output: node.output, port: node.port, error: node.error };
}

import type { Json, JsonObject } from '../json.ts';
import type { Iteration } from './activity-id.ts';
import { Change } from './change.ts';
import { variablesBefore } from './flow.ts';
import { bindingsAt } from './context.ts';
import type { CompiledDefinition, CompiledNode } from './compile.ts';
import { findNode, nodeView, outerIteration, placeOf, ROOT } from './place.ts';
import type { RunState, Slice } from './run-state.ts';

/** What the child run of a chunk of a map is told: its items, and what its body may read of the run around it. */
export function sliceOf(
  compiled: CompiledDefinition,
  state: RunState,
  child: { nodeId: string; iteration: Iteration; chunk: number; concurrency: number },
): Slice {
  const node = compiled.nodes[compiled.indexOf.get(child.nodeId) ?? -1] as CompiledNode;
  const current = findNode(compiled, state, child.nodeId, child.iteration);
  const input = current?.input as JsonObject;
  const size = current?.container?.kind === 'map' ? (current.container.chunkSize ?? 1) : 1;
  const from = child.chunk * size;
  const place = placeOf(compiled, state.slice, node, child.iteration);
  const change = new Change(compiled, state, state.now);
  return {
    nodeId: child.nodeId,
    iteration: child.iteration,
    from,
    items: (input['items'] as Json[]).slice(from, from + size),
    concurrency: child.concurrency,
    onItemError: input['onItemError'] === 'continue' ? 'continue' : 'fail',
    bindings: bindingsAt(change, place),
    variables:
      place.scope === ROOT && node.predecessors.length === 0 ? state.variables : variablesBefore(change, place),
    nodes: viewsFor(compiled, state, bodyNodes(compiled, node), child.iteration),
  };
}

/** Views of the nodes that others read, as far as they are settled; read from the configs' words, so rather one too many. */
export function viewsFor(
  compiled: CompiledDefinition,
  state: RunState,
  readers: readonly CompiledNode[],
  iteration: Iteration,
): { [id: string]: Json } {
  const views: { [id: string]: Json } = { ...state.slice?.nodes };
  const own = new Set(readers.map((reader) => reader.id as string));
  for (const id of wordsOf(readers)) {
    const node = compiled.nodes[compiled.indexOf.get(id) ?? -1];
    if (node === undefined || own.has(id)) continue;
    const found = findNode(compiled, state, id, outerIteration(iteration, node.depth));
    if (found && found.status !== 'PENDING') views[id] = nodeView(found);
  }
  return views;
}

const wordsOf = (nodes: readonly CompiledNode[]): Set<string> => new Set(textOf(nodes).match(/[A-Za-z]\w*/g));

const textOf = (nodes: readonly CompiledNode[]): string =>
  JSON.stringify(nodes.map(({ config, definition: { fallback, undo } }) => [config, fallback, undo]));

/**
 * The run's input as far as the body of a map may read it: its items come out of the input as a rule, and would otherwise go with
 * every chunk of them. Whole where the body reads it otherwise than by the names of its fields.
 */
export function inputForSlice(compiled: CompiledDefinition, input: Json, nodeId: string): Json {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  const node = compiled.nodes[compiled.indexOf.get(nodeId) ?? -1] as CompiledNode;
  const { items: _items, ...config } = node.config;
  const text = textOf([{ ...node, config }, ...bodyNodes(compiled, node).slice(1)]);
  if (/\binput\b(?!\.[A-Za-z_])/.test(text)) return input;
  const read = new Set(Array.from(text.matchAll(/\binput\.(\w+)/g), ([, name]) => name));
  return Object.fromEntries(Object.entries(input).filter(([name]) => read.has(name)));
}

function bodyNodes(compiled: CompiledDefinition, container: CompiledNode): CompiledNode[] {
  const body = compiled.bodies.get(container.index) ?? [];
  return [container, ...body, ...body.flatMap((node) => bodyNodes(compiled, node).slice(1))];
}

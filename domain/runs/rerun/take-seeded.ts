import { nodeId } from '../../identifiers.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Change } from '../change.ts';
import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import { contextAt } from '../context.ts';
import { variablesOut } from '../flow.ts';
import { type Place, ROOT } from '../place.ts';
import { resolveConfig } from '../resolve-config.ts';
import type { NodeState } from '../run-state.ts';
import { keepUndo } from '../undo.ts';
import { type Before, contentKey } from './content-key.ts';
import type { KnownResult, Seed, SeedResult } from './seed.ts';

/** Settles a node with the result that it is to take over as it stands. */
export function takeFixed(change: Change, place: Place, seed: Seed): boolean {
  const { id } = place.node;
  if (place.scope !== ROOT || !Object.hasOwn(seed.fixed, id)) return false;
  const { [id]: result, ...fixed } = seed.fixed;
  change.patchState({ seed: { ...seed, fixed } });
  settleSeeded(change, place, result as SeedResult, inputOf(change, place), seed);
  return true;
}

/** What it would have been given; only shown, so that what cannot be evaluated any more does no harm. */
function inputOf(change: Change, place: Place): Json {
  if (place.node.row.class === 'inline') return null;
  try {
    return resolveConfig(place.node, contextAt(change, place));
  } catch {
    return null;
  }
}

/** Settles a node with a result of the earlier run, when it would ask for the same as that has. */
export function takeKnown(change: Change, place: Place, seed: Seed, input: JsonObject): boolean {
  const { node, iteration } = place;
  if (!isAddressed(node)) return false;
  const of = candidates(change.compiled, seed, node);
  if (of === null) return false;
  const before =
    node.row.class === 'wait' ? seenBefore(change.compiled, change.state.input, change.nodesOf(ROOT), node) : null;
  if (node.row.class === 'wait' && place.scope !== ROOT) return false;
  const key = contentKey(node.type, input, before);
  const found = chosen(of, iteration, key, seed.inPlace);
  if (found === null) return false;
  const { id, result } = found;
  const left = (seed.known[id] ?? []).filter((one) => one !== result);
  change.patchState({ seed: { ...seed, known: { ...seed.known, [id]: left } } });
  settleSeeded(change, place, result, input, seed);
  return true;
}

/** Nodes whose results have an address: those that work outside of the engine, and those that wait. */
export function isAddressed({ row, definition }: Pick<CompiledNode, 'row' | 'definition'>): boolean {
  return (row.class === 'activity' || row.class === 'child' || row.class === 'wait') && definition.reuse !== 'never';
}

type Candidate = { id: string; results: readonly KnownResult[] };

/** Results of the node itself, else those of nodes that are gone: it may be one of them under a new name. */
function candidates(compiled: CompiledDefinition, seed: Seed, { id }: CompiledNode): Candidate[] | null {
  const own = seed.known[id];
  if (own !== undefined) return own.length > 0 ? [{ id, results: own }] : null;
  const gone = Object.entries(seed.known).filter(([name]) => !compiled.indexOf.has(name));
  return gone.length > 0 ? gone.map(([name, results]) => ({ id: name, results })) : null;
}

/** The same execution first, else another that asked for the same, as where items of a map have moved. */
function chosen(
  of: readonly Candidate[],
  iteration: string,
  key: string,
  inPlace: boolean,
): { id: string; result: KnownResult } | null {
  let other: { id: string; result: KnownResult } | null = null;
  for (const { id, results } of of) {
    for (const result of results) {
      if (result.key !== key) continue;
      if (result.iteration === iteration) return { id, result };
      if (!inPlace) other ??= { id, result };
    }
  }
  return other;
}

export function settleSeeded(change: Change, place: Place, result: SeedResult, input: Json, seed: Seed): void {
  const { runId, status, output, port, error, handled, variables } = result;
  change.set(place, { input, ...(runId === null ? {} : { reused: runId }) });
  const flow = variablesOut(change, place, variables ?? undefined);
  change.settle(place, status, { output, port, error, handled, variables: flow });
  if (status === 'COMPLETED' && seed.undos) keepUndo(change, place);
}

/** Everything before a node of the workflow's own body, and the run's input, by node id. */
export function seenBefore(
  compiled: CompiledDefinition,
  input: Json,
  roots: readonly NodeState[],
  node: CompiledNode,
): Before {
  const seen = [...nodesBefore(compiled, node)]
    .map((index) => roots[(compiled.nodes[index] as CompiledNode).position] as NodeState)
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  return [{ id: nodeId(''), status: 'COMPLETED', output: input, port: null }, ...seen];
}

/** Indices of all predecessors, near and far. */
export function nodesBefore(compiled: CompiledDefinition, node: CompiledNode): Set<number> {
  const before = new Set<number>();
  const waiting = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const { from } of next.predecessors) {
      if (before.has(from)) continue;
      before.add(from);
      waiting.push(compiled.nodes[from] as CompiledNode);
    }
  }
  return before;
}

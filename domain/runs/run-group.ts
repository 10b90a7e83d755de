import type { Json, JsonObject } from '../json.ts';
import type { Iteration } from './activity-id.ts';
import { Change } from './change.ts';
import { variablesBefore } from './flow.ts';
import { bindingsAt } from './context.ts';
import type { CompiledDefinition, CompiledNode } from './compile.ts';
import type { NodeDefinition } from './definition.ts';
import type { ExpressionContext } from './expression.ts';
import { nodeTypeRow, type NodeType } from './node-types.ts';
import { nodeView, placeOf } from './place.ts';
import { resolveConfig } from './resolve-config.ts';
import { toRunError } from './run-error.ts';
import type { GroupResult, RunError } from './run-event.ts';
import { runInlineNode } from './run-inline-node.ts';
import type { Bindings, RunState } from './run-state.ts';
import { viewsFor } from './slice-of.ts';
import { variableValues } from './variables.ts';

/** Argument of the local activity that runs fused nodes: all that they read. */
export type GroupInput = {
  iteration: Iteration;
  /** Activities and the inline nodes between them, in order. */
  members: NodeDefinition[];
  input: Json;
  run: Json;
  vars: Json;
  bindings: Bindings;
  /** Views of nodes before the group. */
  nodes: { [id: string]: Json };
};
export type GroupOutput = { results: GroupResult[] };

/** How one member is executed; a failure says whether trying again may help. */
export type ExecuteMember = (
  member: NodeDefinition,
  input: JsonObject,
) => Promise<{ output: Json } | { error: RunError; retryable: boolean }>;

export function groupInput(
  compiled: CompiledDefinition,
  state: RunState,
  group: { nodeId: string; iteration: Iteration; members: readonly string[] },
): GroupInput {
  const first = compiled.nodes[compiled.indexOf.get(group.nodeId) ?? -1] as CompiledNode;
  const chain = chainBetween(compiled, first, group.members);
  const place = placeOf(compiled, state.slice, first, group.iteration);
  const change = new Change(compiled, state, state.now);
  return {
    iteration: group.iteration,
    members: chain.map((node) => node.definition),
    input: state.input,
    run: { workflow: compiled.definition.name, webhooks: state.webhooks },
    vars: variableValues(variablesBefore(change, place)),
    bindings: bindingsAt(change, place),
    nodes: viewsFor(compiled, state, chain, group.iteration),
  };
}

function chainBetween(
  compiled: CompiledDefinition,
  first: CompiledNode,
  members: readonly string[],
): readonly CompiledNode[] {
  const chain = [first];
  for (let node = first; node.id !== members.at(-1);) {
    node = compiled.nodes[node.successors[0]?.to ?? -1] as CompiledNode;
    chain.push(node);
  }
  return chain;
}

/**
 * Runs fused nodes one after the other, as the engine would; stops at the first that fails. Results of inline nodes are not
 * among those returned: the engine computes them again.
 */
export async function runGroup(group: GroupInput, execute: ExecuteMember, now: () => number): Promise<GroupOutput> {
  const views: { [id: string]: Json } = { ...group.nodes };
  const context: ExpressionContext = {
    input: group.input,
    run: group.run,
    vars: group.vars,
    bindings: group.bindings,
    node: (id) => views[id] ?? null,
  };
  const results: GroupResult[] = [];
  for (const member of group.members) {
    const row = nodeTypeRow(member.type as NodeType);
    const ref = { nodeId: member.id as GroupResult['nodeId'], iteration: group.iteration };
    const startedAt = now();
    try {
      const input = resolveConfig({ row, config: member.config ?? {} }, context);
      const outcome = row.class === 'inline' ? { output: inlineOutput(member, input) } : await execute(member, input);
      if ('error' in outcome) return { results: [...results, { ...ref, startedAt, closedAt: now(), ...outcome }] };
      views[member.id] = nodeView({ status: 'COMPLETED', output: outcome.output, port: row.ports[0], error: null });
      if (row.class !== 'inline') results.push({ ...ref, startedAt, closedAt: now(), output: outcome.output });
    } catch (error) {
      if (row.class === 'inline') return { results };
      const failure = { error: toRunError(error, member.id), retryable: false };
      return { results: [...results, { ...ref, startedAt, closedAt: now(), ...failure }] };
    }
  }
  return { results };
}

/** `transform` and `template` alone stand between fused nodes. */
function inlineOutput(member: NodeDefinition, input: JsonObject): Json {
  const type = member.type as NodeType;
  const node = { type, port: nodeTypeRow(type).ports[0], config: member.config ?? {} };
  return runInlineNode(
    node,
    input,
    () => [],
    () => null,
  ).output;
}

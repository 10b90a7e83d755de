import { canonicalJson } from '../canonical-json.ts';
import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import { executionsOf, type NodeState, type RunState } from '../run-state.ts';
import type { MigrationProblem } from './find-obstacles.ts';
import { migrateState } from './migrate-state.ts';
import { correspond, type Correspondence, type NodeMapping, suggestTargets } from './node-mapping.ts';

export type OpenRunVerdict = 'CONTINUES' | 'NEEDS_MAPPING' | 'REPEATS_EFFECT';
export type OpenRunCheck = {
  verdict: OpenRunVerdict;
  problems: MigrationProblem[];
  /** Effects that happened and would happen again under another node. */
  repeats: { nodeId: string; iteration: string; again: string[] }[];
  /** Nodes that are done or under way as the old version configured them, and stay so. */
  doneAsBefore: string[];
};

/** Whether a run under way could go on in another version, from where it is. */
export function checkOpenRun(
  from: CompiledDefinition,
  to: CompiledDefinition,
  state: RunState,
  mapping: NodeMapping,
): OpenRunCheck {
  const nodes = correspond(from, to, mapping);
  const after = migrateState(from, to, state, mapping);
  const problems = Array.isArray(after) ? after : [];
  const begun = executionsOf(state).filter((node): node is NodeState => 'due' in node && node.status !== 'PENDING');
  const repeats = begun.flatMap((node) => {
    const again = node.status === 'COMPLETED' ? nodesAgain(from, to, nodes, node) : [];
    return again.length > 0 ? [{ nodeId: node.id, iteration: node.iteration, again }] : [];
  });
  const verdict = repeats.length > 0 ? 'REPEATS_EFFECT' : problems.length > 0 ? 'NEEDS_MAPPING' : 'CONTINUES';
  const changed = begun.filter((node) => isConfiguredAnew(from, nodes, node)).map((node) => node.id as string);
  return { verdict, problems, repeats, doneAsBefore: [...new Set(changed)] };
}

/** New nodes that would do what a node has done whose result is not carried over. */
function nodesAgain(
  from: CompiledDefinition,
  to: CompiledDefinition,
  nodes: Correspondence,
  { id }: NodeState,
): string[] {
  const old = from.nodes[from.indexOf.get(id) ?? -1];
  if (old === undefined || !hasEffect(old)) return [];
  const target = nodes.targetOf(id);
  if (target === null) return suggestTargets(from, to, old, nodes);
  return target.type !== old.type && hasEffect(target) ? [target.id] : [];
}

/** Running it again may do something again. */
function hasEffect({ row, config }: CompiledNode): boolean {
  return row.class === 'child' || (row.class === 'activity' && !row.repeatable?.(config));
}

function isConfiguredAnew(from: CompiledDefinition, nodes: Correspondence, { id, port, status }: NodeState): boolean {
  const old = from.nodes[from.indexOf.get(id) ?? -1];
  const target = nodes.targetOf(id);
  if (old === undefined || target === null || (status === 'SKIPPED' && port === null)) return false;
  return canonicalJson(old.config) !== canonicalJson(target.config);
}

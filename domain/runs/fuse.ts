import type { CompiledDefinition, CompiledNode } from './compile.ts';

/** A fused member must be done quickly: a local activity keeps the workflow task open. */
export const FUSED_LIMIT_MS = 10_000;
const MOST_MEMBERS = 50;

export type FusionReason =
  { nodeId: string; fused: true; group: readonly string[] } | { nodeId: string; fused: false; why: string };

const plans = new WeakMap<CompiledDefinition, ReadonlyMap<number, readonly CompiledNode[]>>();

/**
 * The members of the fused group of a node from it on, itself first; fewer than two where it is not fused. Neighbours in a chain
 * (each the only follower of the one before it, and that its only predecessor) share one local activity when every one of them may
 * be run again without harm and is quick. Inline nodes between them are computed again, so they do not part a chain.
 */
export function groupFrom(compiled: CompiledDefinition, node: CompiledNode): readonly CompiledNode[] {
  let plan = plans.get(compiled);
  if (plan === undefined) {
    plan = new Map(compiled.nodes.map((one) => [one.index, chainFrom(compiled, one)]));
    plans.set(compiled, plan);
  }
  return plan.get(node.index) ?? [];
}

/** Why each activity is fused with others or not, in definition order. */
export function fusionPlan(compiled: CompiledDefinition): FusionReason[] {
  const heads = new Map<number, readonly CompiledNode[]>();
  const covered = new Set<number>();
  for (const node of compiled.nodes) {
    const group = groupFrom(compiled, node);
    if (covered.has(node.index) || group.length < 2) continue;
    for (const member of group) {
      covered.add(member.index);
      heads.set(member.index, group);
    }
  }
  return compiled.nodes
    .filter((node) => node.row.class === 'activity')
    .map((node) => {
      const group = heads.get(node.index);
      if (group) return { nodeId: node.id, fused: true, group: group.map((member) => member.id) };
      return {
        nodeId: node.id,
        fused: false,
        why: obstacle(node) ?? 'no neighbour in a chain that may be fused with it',
      };
    });
}

/** Activities and the inline nodes between them; the last one is an activity. */
function chainFrom(compiled: CompiledDefinition, first: CompiledNode): readonly CompiledNode[] {
  if (obstacle(first) !== null) return [];
  const chain: CompiledNode[] = [first];
  const members: CompiledNode[] = [first];
  for (let node = nextInChain(compiled, first); node !== null; node = nextInChain(compiled, node)) {
    chain.push(node);
    if (node.row.class === 'activity') {
      if (obstacle(node) !== null) break;
      members.push(node);
    } else if (!isTransparent(node)) break;
    if (members.length >= MOST_MEMBERS) break;
  }
  return members;
}

function nextInChain(compiled: CompiledDefinition, node: CompiledNode): CompiledNode | null {
  const [edge, ...others] = node.successors;
  if (edge === undefined || others.length > 0 || edge.port !== node.port) return null;
  const next = compiled.nodes[edge.to] as CompiledNode;
  return next.predecessors.length === 1 ? next : null;
}

/** Inline nodes whose result needs nothing but expressions. */
const isTransparent = (node: CompiledNode): boolean =>
  (node.type === 'transform' || node.type === 'template') && node.definition.onError === undefined;

/** Why an activity is not fused; null when it may be. */
function obstacle({ definition, row, config }: CompiledNode): string | null {
  if (row.class !== 'activity') return 'it is not an activity';
  if (definition.fuse === false) return 'fuse is false';
  if (!row.repeatable?.(config)) return 'running it again may repeat an effect';
  if (definition.undo !== undefined) return 'it has an undo';
  if (definition.onError !== undefined && definition.onError !== 'fail') return 'it has an error policy of its own';
  if (definition.taskQueue !== undefined || row.taskQueue !== 'runs') return 'it has a task queue of its own';
  const limit = Math.min(Number(config['timeoutMs'] ?? Infinity), definition.timeouts?.startToCloseMs ?? Infinity);
  if (limit <= FUSED_LIMIT_MS || definition.fuse === true) return null;
  return `it may take longer than ${FUSED_LIMIT_MS} ms: set config.timeoutMs, or fuse to true`;
}

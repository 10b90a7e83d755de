import { AppError } from '../../errors.ts';
import { parseActivityId } from '../activity-id.ts';
import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import { outerIteration } from '../place.ts';

/** Which executions run again, by node: all of them, or those with these paths. Containers around them are entered. */
export type Again = {
  readonly nodes: ReadonlyMap<string, 'all' | ReadonlySet<string>>;
  readonly entered: ReadonlySet<string>;
};

/**
 * What somebody has named, and everything that follows from it: by node, or by execution as `node#3.1`.
 * @throws INPUT_INVALID
 */
export function runsAgain(compiled: CompiledDefinition, named: readonly string[]): Again {
  const nodes = new Map<string, 'all' | Set<string>>();
  const entered = new Set<string>();
  for (const name of named) {
    const path = name.includes('#') ? parseActivityId(name) : null;
    const node = compiled.nodes[compiled.indexOf.get(path?.nodeId ?? name) ?? -1];
    if (node === undefined || (name.includes('#') && path === null)) {
      const detail = `there is no node ${name} in this version`;
      throw new AppError('INPUT_INVALID', { detail, paths: [{ path: '/nodeIds', message: detail }] });
    }
    markFrom(compiled, node, node.parent === null ? null : (path?.iteration ?? null), nodes, entered);
  }
  return { nodes, entered };
}

function markFrom(
  compiled: CompiledDefinition,
  first: CompiledNode,
  path: string | null,
  nodes: Map<string, 'all' | Set<string>>,
  entered: Set<string>,
): void {
  mark(nodes, first.id, path);
  let [node, inside] = [first, path];
  for (;;) {
    for (const { id } of nodesAfter(compiled, node)) mark(nodes, id, inside);
    if (node.parent === null) return;
    // The container is entered, not run again as a whole; what follows from it is.
    node = compiled.nodes[node.parent] as CompiledNode;
    inside = inside === null || node.depth === 0 ? null : outerIteration(inside, node.depth);
    entered.add(node.id);
  }
}

function mark(nodes: Map<string, 'all' | Set<string>>, id: string, path: string | null): void {
  const known = nodes.get(id);
  if (path === null || known === 'all') nodes.set(id, 'all');
  else if (known === undefined) nodes.set(id, new Set([path]));
  else known.add(path);
}

/** Everything that follows from a node, near and far. */
export function nodesAfter(compiled: CompiledDefinition, node: CompiledNode): CompiledNode[] {
  const after = new Map<number, CompiledNode>();
  const waiting = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const { to } of next.successors) {
      if (after.has(to)) continue;
      const target = compiled.nodes[to] as CompiledNode;
      after.set(to, target);
      waiting.push(target);
    }
  }
  return [...after.values()];
}

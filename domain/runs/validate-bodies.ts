import { LIMITS } from './limits.ts';
import { isNodeType, nodeTypeRow } from './node-types.ts';
import { didYouMean, type Report } from './problem-list.ts';
import type { ReadableDefinition } from './validate-shape.ts';

/** By node id its container's id; null at the root, and where the parent is not sound. */
export type Parents = ReadonlyMap<string, string | null>;

/** Containers exist, are containers, are not inside of themselves and have a body; edges stay within one body. */
export function validateBodies(definition: ReadableDefinition, report: Report): Parents {
  const parents = readParents(definition, report);
  const filled = new Set(parents.values());
  for (const { value: node, index } of definition.nodes) {
    const empty = isNodeType(node.type) && nodeTypeRow(node.type).class === 'container' && !filled.has(node.id);
    if (!empty || !definition.complete) continue;
    const message = `${node.type} ${node.id} has no nodes in its body`;
    report('PARENT_INVALID', ['nodes', index], node.id, message, `Give a node "parent": "${node.id}".`);
  }
  for (const { value: edge, index } of definition.edges) {
    const [from, to] = [parents.get(edge.from), parents.get(edge.to)];
    if (from === undefined || to === undefined || from === to) continue;
    const message = `Edge ${edge.from} -> ${edge.to} leaves the body of ${from ?? to ?? ''}`;
    const hint = 'Nodes of a body are joined with one another; join the container itself with what is outside.';
    report('EDGE_LEAVES_BODY', ['edges', index], edge.from, message, hint);
  }
  return parents;
}

function readParents(definition: ReadableDefinition, report: Report): Parents {
  const byId = new Map(definition.nodes.map(({ value }) => [value.id, value]));
  const parents = new Map<string, string | null>();
  for (const { value: node, index } of definition.nodes) {
    const problem = (code: 'PARENT_UNKNOWN' | 'PARENT_INVALID' | 'LIMIT_EXCEEDED', message: string, hint = '') => {
      report(code, ['nodes', index, 'parent'], node.id, message, hint || undefined);
      parents.set(node.id, null);
    };
    const { parent } = node;
    parents.set(node.id, parent ?? null);
    if (parent === undefined) continue;
    const container = byId.get(parent);
    if (container === undefined) {
      problem('PARENT_UNKNOWN', `No node ${JSON.stringify(parent)}`, didYouMean(parent, [...definition.ids]));
    } else if (!isNodeType(container.type) || nodeTypeRow(container.type).class !== 'container') {
      problem('PARENT_INVALID', `${parent} is no container`, 'Containers are map, loop and try.');
    } else {
      const depth = depthOf(node.id, (id) => byId.get(id)?.parent);
      if (depth === null) problem('PARENT_INVALID', `${node.id} is inside of itself`);
      else if (depth > LIMITS.nesting)
        problem('LIMIT_EXCEEDED', `${depth} containers around ${node.id}; the limit is ${LIMITS.nesting}`);
    }
  }
  return parents;
}

/** Containers around a node; null when it is inside of itself. */
function depthOf(id: string, parentOf: (id: string) => string | undefined): number | null {
  const seen = new Set([id]);
  for (let around = parentOf(id); around !== undefined; around = parentOf(around)) {
    if (seen.has(around)) return null;
    seen.add(around);
  }
  return seen.size - 1;
}

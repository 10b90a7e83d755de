import type { NodeDefinition, WorkflowDefinition } from './definition.ts';
import { LIMITS } from './limits.ts';
import { isNodeType, NODE_TYPES, nodeTypeRow } from './node-types.ts';
import { nearest, type Report } from './problem-list.ts';

/** For every node id the ids that are settled before it is due; null when the graph is not sound enough to tell. */
export type Ancestors = ReadonlyMap<string, ReadonlySet<string>> | null;

export function validateGraph(definition: WorkflowDefinition, report: Report): Ancestors {
  validateNodes(definition, report);
  validateEdges(definition, report);
  const ids = new Set(definition.nodes.map((node) => node.id));
  const edges = definition.edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to));
  const successors = new Map<string, string[]>([...ids].map((id) => [id, []]));
  for (const edge of edges) successors.get(edge.from)?.push(edge.to);
  const order = topologicalOrder(ids, successors);
  if (order.length < ids.size) {
    reportCycles(definition, ids.difference(new Set(order)), successors, report);
    return null;
  }
  validateReachable(definition, order, report);
  const ancestors = collectAncestors(order, successors);
  validateDepth(order, successors, report);
  return ancestors;
}

function validateNodes(definition: WorkflowDefinition, report: Report): void {
  const { nodes } = definition;
  if (nodes.length === 0) report('LIMIT_EXCEEDED', ['nodes'], null, 'A workflow has at least one node');
  if (nodes.length > LIMITS.nodes) {
    report('LIMIT_EXCEEDED', ['nodes'], null, `${nodes.length} nodes; the limit is ${LIMITS.nodes}`);
  }
  const first = new Map<string, number>();
  nodes.forEach((node, index) => {
    const path = ['nodes', index, 'id'];
    if (node.id.trim() === '') report('NODE_ID_EMPTY', path, null, 'A node id must not be empty');
    else if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(node.id) || node.id.length > LIMITS.nodeIdLength) {
      report(
        'NODE_ID_INVALID',
        path,
        node.id,
        `Node id ${JSON.stringify(node.id)} must be at most ${LIMITS.nodeIdLength} letters, digits and _, a letter first`,
        'Use `name` for what people should read.',
      );
    }
    const earlier = first.get(node.id);
    if (earlier !== undefined) {
      report('NODE_ID_DUPLICATE', path, node.id, `Node id ${node.id} is already used by /nodes/${earlier}`);
    } else first.set(node.id, index);
    if (!isNodeType(node.type)) {
      const guess = nearest(node.type, Object.keys(NODE_TYPES));
      const hint = guess ? `Did you mean ${guess}?` : `Known are ${Object.keys(NODE_TYPES).join(', ')}.`;
      report('NODE_TYPE_UNKNOWN', ['nodes', index, 'type'], node.id, `Unknown node type ${node.type}`, hint);
    }
  });
}

function validateEdges(definition: WorkflowDefinition, report: Report): void {
  const { nodes, edges } = definition;
  if (edges.length > LIMITS.edges) {
    report('LIMIT_EXCEEDED', ['edges'], null, `${edges.length} edges; the limit is ${LIMITS.edges}`);
  }
  const typeOf = new Map(nodes.map((node) => [node.id, node.type]));
  const seen = new Set<string>();
  const fanOut = new Map<string, number>();
  edges.forEach((edge, index) => {
    for (const end of ['from', 'to'] as const) {
      if (typeOf.has(edge[end])) continue;
      const guess = nearest(edge[end], [...typeOf.keys()]);
      const hint = guess ? `Did you mean ${guess}?` : 'Every edge joins two nodes of this definition.';
      report('EDGE_TARGET_UNKNOWN', ['edges', index, end], edge.from, `No node ${JSON.stringify(edge[end])}`, hint);
    }
    validatePort(typeOf.get(edge.from), edge, index, report);
    const key = JSON.stringify([edge.from, edge.port ?? null, edge.to]);
    if (seen.has(key))
      report('EDGE_DUPLICATE', ['edges', index], edge.from, `Edge ${edge.from} -> ${edge.to} is there twice`);
    seen.add(key);
    fanOut.set(edge.from, (fanOut.get(edge.from) ?? 0) + 1);
  });
  for (const [id, count] of fanOut) {
    if (count > LIMITS.fanOut) {
      report('LIMIT_EXCEEDED', ['edges'], id, `${count} edges leave ${id}; the limit is ${LIMITS.fanOut}`);
    }
  }
}

function validatePort(type: string | undefined, edge: { from: string; port?: string }, index: number, report: Report) {
  if (!isNodeType(type)) return;
  const { ports } = nodeTypeRow(type);
  const missing = edge.port === undefined && ports.length > 1;
  if (!missing && (edge.port === undefined || ports.includes(edge.port))) return;
  const message = missing
    ? `${type} ${edge.from} has several ports, so the edge must name one`
    : `${type} ${edge.from} has no port ${JSON.stringify(edge.port)}`;
  report('EDGE_PORT_UNKNOWN', ['edges', index, 'port'], edge.from, message, `Its ports are ${ports.join(', ')}.`);
}

/** Ports that a node's own config rules out. */
function deadPorts(node: NodeDefinition): readonly string[] {
  if (node.type !== 'approval') return [];
  const timedOut =
    node.config?.['onTimeout'] === 'route' && node.config['timeoutMs'] !== undefined ? [] : ['timed_out'];
  return node.config?.['onReject'] === 'fail' ? [...timedOut, 'rejected'] : timedOut;
}

function validateReachable(definition: WorkflowDefinition, order: readonly string[], report: Report): void {
  const byId = new Map(definition.nodes.map((node) => [node.id, node]));
  const incoming = Map.groupBy(definition.edges, (edge) => edge.to);
  const dead = new Set<string>();
  for (const id of order) {
    const edges = incoming.get(id) ?? [];
    const live = edges.some((edge) => {
      const source = byId.get(edge.from);
      return source && !dead.has(edge.from) && !(edge.port && deadPorts(source).includes(edge.port));
    });
    if (edges.length === 0 || live) continue;
    dead.add(id);
    const index = definition.nodes.findIndex((node) => node.id === id);
    report(
      'NODE_UNREACHABLE',
      ['nodes', index],
      id,
      `Node ${id} can never run: every edge into it leaves by a port that is never taken`,
      'timed_out needs timeoutMs and onTimeout "route"; rejected needs onReject "route".',
    );
  }
}

/** Kahn 1962; shorter than the node set when there is a cycle. */
function topologicalOrder(ids: ReadonlySet<string>, successors: ReadonlyMap<string, string[]>): string[] {
  const waiting = new Map<string, number>([...ids].map((id) => [id, 0]));
  for (const targets of successors.values()) for (const to of targets) waiting.set(to, (waiting.get(to) ?? 0) + 1);
  const order = [...ids].filter((id) => waiting.get(id) === 0);
  for (let index = 0; index < order.length; index += 1) {
    for (const to of successors.get(order[index] as string) ?? []) {
      const left = (waiting.get(to) as number) - 1;
      waiting.set(to, left);
      if (left === 0) order.push(to);
    }
  }
  return order;
}

function reportCycles(
  definition: WorkflowDefinition,
  left: ReadonlySet<string>,
  successors: ReadonlyMap<string, string[]>,
  report: Report,
): void {
  const predecessors = new Map<string, string[]>();
  for (const id of left)
    for (const to of successors.get(id) ?? []) predecessors.set(to, [...(predecessors.get(to) ?? []), id]);
  const inCycle = new Set<string>();
  for (const start of left) {
    if (inCycle.has(start) || [...inCycle].some((id) => reaches(id, start, successors))) continue;
    const cycle = walkBack(start, left, predecessors);
    for (const id of cycle) inCycle.add(id);
    const edge = definition.edges.findIndex(
      (candidate) => candidate.from === cycle.at(-2) && candidate.to === cycle.at(-1),
    );
    report(
      'CYCLE',
      ['edges', Math.max(edge, 0)],
      cycle[0] ?? null,
      `The nodes form a cycle: ${cycle.join(' -> ')}`,
      'Remove one of these edges; a graph runs forward only.',
    );
  }
}

/** Every node that Kahn's order leaves out has a predecessor left out too, so walking back must meet a node again. */
function walkBack(start: string, left: ReadonlySet<string>, predecessors: ReadonlyMap<string, string[]>): string[] {
  const path: string[] = [];
  let id: string | undefined = start;
  while (id !== undefined && !path.includes(id)) {
    path.unshift(id);
    id = predecessors.get(id)?.find((candidate) => left.has(candidate));
  }
  const closing = id === undefined ? path.length - 1 : path.indexOf(id);
  return [path[closing] as string, ...path.slice(0, closing + 1)];
}

function reaches(from: string, to: string, successors: ReadonlyMap<string, string[]>): boolean {
  const seen = new Set([from]);
  const open = [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to) return true;
    for (const next of successors.get(id) ?? []) {
      if (!seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
    }
  }
  return false;
}

function collectAncestors(order: readonly string[], successors: ReadonlyMap<string, string[]>): Ancestors {
  const ancestors = new Map<string, Set<string>>(order.map((id) => [id, new Set()]));
  for (const id of order) {
    const own = ancestors.get(id) as Set<string>;
    for (const to of successors.get(id) ?? []) {
      const target = ancestors.get(to) as Set<string>;
      target.add(id);
      for (const ancestor of own) target.add(ancestor);
    }
  }
  return ancestors;
}

function validateDepth(order: readonly string[], successors: ReadonlyMap<string, string[]>, report: Report): void {
  const depth = new Map<string, number>();
  for (const id of order) {
    const own = depth.get(id) ?? 1;
    for (const to of successors.get(id) ?? []) depth.set(to, Math.max(depth.get(to) ?? 1, own + 1));
  }
  const deepest = Math.max(0, ...depth.values());
  if (deepest > LIMITS.depth) {
    report('LIMIT_EXCEEDED', ['edges'], null, `The longest path has ${deepest} nodes; the limit is ${LIMITS.depth}`);
  }
}

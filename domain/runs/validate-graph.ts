import type { EdgeDefinition, NodeDefinition } from './definition.ts';
import { LIMITS } from './limits.ts';
import { isNodeType, NODE_TYPES, portsOf } from './node-types.ts';
import { didYouMean, type Report } from './problem-list.ts';
import { type Parents, validateBodies } from './validate-bodies.ts';
import type { Placed, ReadableDefinition } from './validate-shape.ts';

/** For every node id the ids that are settled before it is due; null when the graph is not sound enough to tell. */
export type Ancestors = ReadonlyMap<string, ReadonlySet<string>> | null;
export type Graph = { ancestors: Ancestors; parents: Parents };

export function validateGraph(definition: ReadableDefinition, report: Report): Graph {
  validateNodes(definition, report);
  validateEdges(definition, report);
  const parents = validateBodies(definition, report);
  const { ids } = definition;
  const edges = definition.edges.filter(({ value }) => ids.has(value.from) && ids.has(value.to));
  const successors = new Map<string, string[]>([...ids].map((id) => [id, []]));
  for (const { value } of edges) successors.get(value.from)?.push(value.to);
  const order = topologicalOrder(ids, successors);
  if (order.length < ids.size) {
    reportCycles(edges, ids.difference(new Set(order)), successors, report);
    return { ancestors: null, parents };
  }
  validateReachable(definition.nodes, edges, order, report);
  validateDepth(order, successors, report);
  const sound = definition.complete && edges.length === definition.edges.length;
  return { ancestors: sound ? addOuter(collectAncestors(order, successors), parents) : null, parents };
}

function validateNodes({ nodes, complete }: ReadableDefinition, report: Report): void {
  if (nodes.length === 0 && complete) report('LIMIT_EXCEEDED', ['nodes'], null, 'A workflow has at least one node');
  const first = new Map<string, number>();
  for (const { value: node, index } of nodes) {
    validateNodeId(node.id, index, report);
    const earlier = first.get(node.id);
    if (earlier !== undefined) {
      const message = `Node id ${node.id} is already used by /nodes/${earlier}`;
      report('NODE_ID_DUPLICATE', ['nodes', index, 'id'], node.id, message, 'Give each node an id of its own.');
    } else first.set(node.id, index);
    if (!isNodeType(node.type)) {
      const message = `Unknown node type ${JSON.stringify(node.type)}`;
      report('NODE_TYPE_UNKNOWN', ['nodes', index, 'type'], node.id, message, () =>
        didYouMean(node.type, Object.keys(NODE_TYPES)),
      );
    }
  }
}

function validateNodeId(id: string, index: number, report: Report): void {
  const path = ['nodes', index, 'id'];
  if (id.trim() === '') {
    report('NODE_ID_EMPTY', path, null, 'A node id must not be empty', 'For example "analyze".');
  } else if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(id) || id.length > LIMITS.nodeIdLength) {
    const message = `Node id ${JSON.stringify(id)} must be at most ${LIMITS.nodeIdLength} letters, digits and _, a letter first`;
    report('NODE_ID_INVALID', path, id, message, 'Use `name` for what people should read.');
  }
}

function validateEdges({ nodes, edges, ids }: ReadableDefinition, report: Report): void {
  const sourceOf = new Map(nodes.map(({ value }) => [value.id, value]));
  const seen = new Set<string>();
  const fanOut = new Map<string, number>();
  for (const { value: edge, index } of edges) {
    for (const end of ['from', 'to'] as const) {
      if (ids.has(edge[end])) continue;
      const other = edge[end === 'from' ? 'to' : 'from'];
      const message = `No node ${JSON.stringify(edge[end])}`;
      report('EDGE_TARGET_UNKNOWN', ['edges', index, end], ids.has(other) ? other : null, message, () =>
        didYouMean(edge[end], [...ids]),
      );
    }
    validatePort(sourceOf.get(edge.from), edge, index, report);
    validateNoRemark(sourceOf, edge, index, report);
    const key = JSON.stringify([edge.from, edge.port ?? null, edge.to]);
    if (seen.has(key)) {
      const message = `Edge ${edge.from} -> ${edge.to} is there twice`;
      report('EDGE_DUPLICATE', ['edges', index], edge.from, message, 'Remove one of them.');
    }
    seen.add(key);
    const port = JSON.stringify([edge.from, edge.port ?? null]);
    fanOut.set(port, (fanOut.get(port) ?? 0) + 1);
  }
  for (const [port, count] of fanOut) {
    if (count <= LIMITS.fanOut) continue;
    const [id, name] = JSON.parse(port) as [string, string | null];
    const message = `${count} edges leave ${id}${name === null ? '' : ` by ${name}`}; the limit is ${LIMITS.fanOut}`;
    report('LIMIT_EXCEEDED', ['edges'], id, message);
  }
}

/** Remarks are joined with nothing. */
function validateNoRemark(
  nodes: ReadonlyMap<string, NodeDefinition>,
  edge: EdgeDefinition,
  index: number,
  report: Report,
): void {
  const id = [edge.from, edge.to].find((end) => nodes.get(end)?.type === 'note');
  if (id !== undefined) report('EDGE_PORT_UNKNOWN', ['edges', index], id, `note ${id} is a remark and takes no edges`);
}

function validatePort(source: NodeDefinition | undefined, edge: EdgeDefinition, index: number, report: Report): void {
  if (source === undefined || !isNodeType(source.type)) return;
  const { type } = source;
  const ports = portsOf(source);
  const missing = edge.port === undefined && ports.length > 1;
  if (!missing && (edge.port === undefined || ports.includes(edge.port))) return;
  const message = missing
    ? `${type} ${edge.from} has several ports, so the edge must name one`
    : `${type} ${edge.from} has no port ${JSON.stringify(edge.port)}`;
  const hint = `Its ports are ${ports.join(', ')}.`;
  report('EDGE_PORT_UNKNOWN', ['edges', index, 'port'], edge.from, message, hint);
}

/** Ports that a node's own config rules out. */
function deadPorts(node: NodeDefinition): readonly string[] {
  const { config = {} } = node;
  const timedOut = config['onTimeout'] === 'route' && config['timeoutMs'] !== undefined ? [] : ['timed_out'];
  switch (node.type) {
    case 'approval':
      return config['onReject'] === 'fail' ? [...timedOut, 'rejected'] : timedOut;
    case 'wait':
    case 'webhook':
      return timedOut;
    case 'loop':
      return config['onBound'] === 'route' ? [] : ['bound'];
    case 'fail':
      return ['out'];
    default:
      return [];
  }
}

function validateReachable(
  nodes: readonly Placed<NodeDefinition>[],
  edges: readonly Placed<EdgeDefinition>[],
  order: readonly string[],
  report: Report,
): void {
  const byId = new Map(nodes.map((node) => [node.value.id, node]));
  const incoming = Map.groupBy(edges, (edge) => edge.value.to);
  const dead = new Set<string>();
  for (const id of order) {
    const arriving = incoming.get(id) ?? [];
    const live = arriving.some(({ value: { from, port } }) => {
      const source = byId.get(from)?.value;
      return !dead.has(from) && !(source && port && deadPorts(source).includes(port));
    });
    if (arriving.length === 0 || live) continue;
    dead.add(id);
    const node = byId.get(id);
    if (node === undefined) continue;
    const message = `Node ${id} can never run: every edge into it leaves by a port that is never taken`;
    const hint =
      'timed_out needs timeoutMs and onTimeout "route"; rejected needs onReject "route"; bound needs onBound "route".';
    report('NODE_UNREACHABLE', ['nodes', node.index], id, message, hint);
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
  edges: readonly Placed<EdgeDefinition>[],
  left: ReadonlySet<string>,
  successors: ReadonlyMap<string, string[]>,
  report: Report,
): void {
  const predecessors = new Map<string, string[]>([...left].map((id) => [id, []]));
  for (const id of left) for (const to of successors.get(id) ?? []) predecessors.get(to)?.push(id);
  const covered = new Set<string>();
  for (const start of left) {
    if (covered.has(start)) continue;
    const cycle = walkBack(start, predecessors);
    addReachable(cycle, successors, covered);
    const closing = edges.find(({ value }) => value.from === cycle.at(-2) && value.to === cycle.at(-1));
    const message = `The nodes form a cycle: ${cycle.join(' -> ')}`;
    const hint = 'Remove one of these edges; a graph runs forward only.';
    report('CYCLE', ['edges', closing?.index ?? 0], cycle[0] ?? null, message, hint);
  }
}

/** Every node that Kahn's order leaves out has a predecessor left out too, so walking back must meet a node again. */
function walkBack(start: string, predecessors: ReadonlyMap<string, string[]>): string[] {
  const path: string[] = [];
  let id: string | undefined = start;
  while (id !== undefined && !path.includes(id)) {
    path.unshift(id);
    id = predecessors.get(id)?.[0];
  }
  const closing = id === undefined ? path.length - 1 : path.indexOf(id);
  return [path[closing] as string, ...path.slice(0, closing + 1)];
}

function addReachable(from: readonly string[], successors: ReadonlyMap<string, string[]>, reached: Set<string>): void {
  const open = [...from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    open.push(...(successors.get(id) ?? []));
  }
}

function collectAncestors(
  order: readonly string[],
  successors: ReadonlyMap<string, string[]>,
): ReadonlyMap<string, ReadonlySet<string>> {
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

/** A node of a body sees what its container sees, besides what comes before it in the body. */
function addOuter(own: ReadonlyMap<string, ReadonlySet<string>>, parents: Parents): Ancestors {
  const all = new Map<string, ReadonlySet<string>>();
  const of = (id: string): ReadonlySet<string> => {
    const known = all.get(id);
    if (known) return known;
    const parent = parents.get(id) ?? null;
    const inner = own.get(id) ?? new Set<string>();
    const found = parent === null ? inner : inner.union(of(parent));
    all.set(id, found);
    return found;
  };
  for (const id of own.keys()) of(id);
  return all;
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

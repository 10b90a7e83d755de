import type { Json, JsonObject } from '../json.ts';
import { canonicalJson } from '../runs/canonical-json.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../runs/definition.ts';

export type ValueChange = {
  /** JSON Pointer inside of what changed; empty is all of it. */
  path: string;
  /** Undefined where it was not there before. */
  before?: Json;
  after?: Json;
};
export type NodeChange = { id: string; type: string; changes: ValueChange[] };

export type DefinitionDiff = {
  same: boolean;
  nodes: { added: NodeDefinition[]; removed: NodeDefinition[]; changed: NodeChange[] };
  edges: { added: EdgeDefinition[]; removed: EdgeDefinition[] };
  input: ValueChange[];
  output: ValueChange[];
  policies: ValueChange[];
  variables: ValueChange[];
  /** Name, description, metadata: what runs do not notice. */
  others: ValueChange[];
};

/** What changed from one definition to another. Nodes are the same by their id; the order of nodes and edges counts for nothing here. */
export function diffDefinitions(before: WorkflowDefinition, after: WorkflowDefinition): DefinitionDiff {
  const diff = {
    nodes: diffNodes(before.nodes, after.nodes),
    edges: diffEdges(before.edges, after.edges),
    input: part(before, after, 'input'),
    output: part(before, after, 'output'),
    policies: part(before, after, 'policies'),
    variables: part(before, after, 'variables'),
    others: [...part(before, after, 'name'), ...part(before, after, 'description'), ...part(before, after, 'metadata')],
  };
  return { same: isEmpty(diff), ...diff };
}

function isEmpty(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return Object.values(value as JsonObject).every(isEmpty);
}

function part(before: WorkflowDefinition, after: WorkflowDefinition, name: keyof WorkflowDefinition): ValueChange[] {
  const prefix = ['name', 'description', 'metadata'].includes(name) ? `/${name}` : '';
  return diffValues(before[name], after[name], prefix);
}

function diffNodes(before: readonly NodeDefinition[], after: readonly NodeDefinition[]): DefinitionDiff['nodes'] {
  const earlier = new Map(before.map((node) => [node.id, node]));
  const later = new Map(after.map((node) => [node.id, node]));
  const changed = after.flatMap((node): NodeChange[] => {
    const old = earlier.get(node.id);
    const changes = old ? diffValues(old, node, '') : [];
    return changes.length > 0 ? [{ id: node.id, type: node.type, changes }] : [];
  });
  return {
    added: after.filter((node) => !earlier.has(node.id)),
    removed: before.filter((node) => !later.has(node.id)),
    changed,
  };
}

const edgeKey = (edge: EdgeDefinition): string => canonicalJson([edge.from, edge.port ?? null, edge.to]);

function diffEdges(before: readonly EdgeDefinition[], after: readonly EdgeDefinition[]): DefinitionDiff['edges'] {
  const earlier = new Set(before.map(edgeKey));
  const later = new Set(after.map(edgeKey));
  return {
    added: after.filter((edge) => !earlier.has(edgeKey(edge))),
    removed: before.filter((edge) => !later.has(edgeKey(edge))),
  };
}

/** The deepest places in which two values differ; lists of other lengths differ as a whole. */
export function diffValues(before: Json | undefined, after: Json | undefined, path: string): ValueChange[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path, after: after as Json }];
  if (after === undefined) return [{ path, before }];
  if (canonicalJson(before) === canonicalJson(after)) return [];
  const [left, right] = [childrenOf(before), childrenOf(after)];
  if (left === null || right === null || Array.isArray(before) !== Array.isArray(after))
    return [{ path, before, after }];
  if (Array.isArray(before) && before.length !== (after as Json[]).length) return [{ path, before, after }];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((name) =>
    diffValues(left[name], right[name], `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

function childrenOf(value: Json): JsonObject | null {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : null;
}

/** One line a change: `+` is new, `-` is gone, `~` is different. */
export function describeDiff(diff: DefinitionDiff): string[] {
  const { nodes, edges } = diff;
  const parts = (['input', 'output', 'policies', 'variables'] as const).flatMap((name) =>
    diff[name].map((change) => describeChange(change, name)),
  );
  return [
    ...nodes.added.map((node) => `+ node ${node.id} (${node.type})`),
    ...nodes.removed.map((node) => `- node ${node.id} (${node.type})`),
    ...nodes.changed.flatMap(({ id, changes }) => changes.map((change) => describeChange(change, `node ${id}`))),
    ...edges.added.map((edge) => `+ edge ${describeEdge(edge)}`),
    ...edges.removed.map((edge) => `- edge ${describeEdge(edge)}`),
    ...parts,
    ...diff.others.map((change) => describeChange(change, '')),
  ];
}

const describeEdge = ({ from, to, port }: EdgeDefinition): string =>
  `${from}${port === undefined ? '' : `.${port}`} -> ${to}`;

function describeChange({ path, before, after }: ValueChange, what: string): string {
  const place = `${what} ${path}`.trim();
  if (before === undefined) return `+ ${place}: ${shorten(after)}`;
  if (after === undefined) return `- ${place}: ${shorten(before)}`;
  return `~ ${place}: ${shorten(before)} -> ${shorten(after)}`;
}

function shorten(value: Json | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

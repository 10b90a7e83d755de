import { canonicalJson } from '../canonical-json.ts';
import type { CompiledDefinition, CompiledNode } from '../compile.ts';
import { nearest } from '../problem-list.ts';

/** Ids of nodes in the old version to ids in the new one; null lets go of what the node has done. Others keep their id. */
export type NodeMapping = { readonly [oldId: string]: string | null };

export type Correspondence = {
  /** The node that stands for an old one; null where there is none. */
  targetOf: (oldId: string) => CompiledNode | null;
  /** The old node that a new one stands for; null where it is new. */
  sourceOf: (newId: string) => CompiledNode | null;
  /** Somebody has said that the old node's work does not count any more. */
  isLetGo: (oldId: string) => boolean;
};

export function correspond(from: CompiledDefinition, to: CompiledDefinition, mapping: NodeMapping): Correspondence {
  const node = (compiled: CompiledDefinition, id: string) => compiled.nodes[compiled.indexOf.get(id) ?? -1] ?? null;
  const named = new Map(Object.entries(mapping).flatMap(([old, id]) => (id === null ? [] : [[id, old] as const])));
  return {
    targetOf: (old) => {
      if (Object.hasOwn(mapping, old)) return mapping[old] == null ? null : node(to, mapping[old]);
      return named.has(old) ? null : node(to, old);
    },
    sourceOf: (id) => {
      const old = named.get(id);
      if (old !== undefined) return node(from, old);
      return Object.hasOwn(mapping, id) ? null : node(from, id);
    },
    isLetGo: (old) => Object.hasOwn(mapping, old) && mapping[old] === null,
  };
}

/** What is wrong with a mapping itself. */
export function mappingFaults(from: CompiledDefinition, to: CompiledDefinition, mapping: NodeMapping): string[] {
  const faults: string[] = [];
  const taken = new Set<string>();
  for (const [old, id] of Object.entries(mapping)) {
    if (!from.indexOf.has(old)) faults.push(`the old version has no node ${old}`);
    if (id === null) continue;
    if (!to.indexOf.has(id)) faults.push(`the new version has no node ${id}`);
    if (taken.has(id)) faults.push(`more than one node becomes ${id}`);
    taken.add(id);
  }
  return faults;
}

const MOST_SUGGESTIONS = 3;

/** Nodes of the new version that may be meant by an old one: new there, of the same type; the most similar first. */
export function suggestTargets(
  from: CompiledDefinition,
  to: CompiledDefinition,
  old: CompiledNode,
  { sourceOf }: Pick<Correspondence, 'sourceOf'>,
): string[] {
  const candidates = to.nodes.filter((node) => node.type === old.type && sourceOf(node.id) === null);
  const close = nearest(
    old.id,
    candidates.map((node) => node.id),
  );
  const scored = candidates.map((node) => ({
    id: node.id,
    score: similarity(from, to, old, node) + Number(node.id === close),
  }));
  return scored
    .toSorted((left, right) => right.score - left.score)
    .slice(0, MOST_SUGGESTIONS)
    .map(({ id }) => id);
}

function similarity(from: CompiledDefinition, to: CompiledDefinition, old: CompiledNode, node: CompiledNode): number {
  const ids = (compiled: CompiledDefinition, indices: readonly number[]) =>
    new Set(indices.map((index) => compiled.nodes[index]?.id));
  const overlap = (left: Set<string | undefined>, right: Set<string | undefined>) =>
    left.size === 0 && right.size === 0 ? 1 : left.intersection(right).size / Math.max(1, left.union(right).size);
  const before = overlap(
    ids(
      from,
      old.predecessors.map((edge) => edge.from),
    ),
    ids(
      to,
      node.predecessors.map((edge) => edge.from),
    ),
  );
  const after = overlap(
    ids(
      from,
      old.successors.map((edge) => edge.to),
    ),
    ids(
      to,
      node.successors.map((edge) => edge.to),
    ),
  );
  return (
    2 * Number(canonicalJson(old.config) === canonicalJson(node.config)) + sharedFields(old, node) + before + after
  );
}

function sharedFields({ config: left }: CompiledNode, { config: right }: CompiledNode): number {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  const same = [...names].filter(
    (name) =>
      Object.hasOwn(left, name) &&
      Object.hasOwn(right, name) &&
      canonicalJson(left[name] ?? null) === canonicalJson(right[name] ?? null),
  );
  return names.size === 0 ? 1 : same.length / names.size;
}

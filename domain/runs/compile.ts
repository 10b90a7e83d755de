import type { NodeId } from '../identifiers.ts';
import { nodeId } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import type { NodeDefinition, WorkflowDefinition } from './definition.ts';
import { nodeTypeRow, portsOf, type NodeType, type NodeTypeRow } from './node-types.ts';

export type CompiledEdge = {
  readonly from: number;
  readonly to: number;
  readonly port: string;
};
export type CompiledNode = {
  readonly index: number;
  readonly id: NodeId;
  readonly type: NodeType;
  readonly row: NodeTypeRow;
  readonly definition: NodeDefinition;
  readonly config: JsonObject;
  /** The port that a completed node leaves by unless it says another. */
  readonly port: string;
  readonly successors: readonly CompiledEdge[];
  readonly predecessors: readonly CompiledEdge[];
  /** Index of the container it is in, null at the root. */
  readonly parent: number | null;
  /** Containers around it. */
  readonly depth: number;
  /** Place in the body it is in. */
  readonly position: number;
};

/** The nodes of the workflow itself, or of a container, in definition order. */
export type Body = readonly CompiledNode[];

/** A definition with its graph resolved to indices. */
export type CompiledDefinition = {
  readonly definition: WorkflowDefinition;
  readonly nodes: readonly CompiledNode[];
  readonly indexOf: ReadonlyMap<string, number>;
  /** By index of the container; null is the root. */
  readonly bodies: ReadonlyMap<number | null, Body>;
};

/** Takes a definition that `validateDefinition` has found without problems. Remarks are left out. */
export function compileDefinition(definition: WorkflowDefinition): CompiledDefinition {
  const definitions = definition.nodes.filter((node) => node.type !== 'note');
  const indexOf = new Map(definitions.map((node, index) => [node.id, index]));
  const edges = definition.edges.map((edge): CompiledEdge => {
    const from = indexOf.get(edge.from) as number;
    const [first] = portsOf(definitions[from] as NodeDefinition);
    return { from, to: indexOf.get(edge.to) as number, port: edge.port ?? (first as string) };
  });
  const successors = Map.groupBy(edges, (edge) => edge.from);
  const predecessors = Map.groupBy(edges, (edge) => edge.to);
  const sizes = new Map<number | null, number>();
  const nodes = definitions.map((node, index): CompiledNode => {
    const parent = parentOf(node, indexOf);
    const position = sizes.get(parent) ?? 0;
    sizes.set(parent, position + 1);
    return {
      index,
      id: nodeId(node.id),
      type: node.type as NodeType,
      row: nodeTypeRow(node.type as NodeType),
      definition: node,
      config: node.config ?? {},
      port: nodeTypeRow(node.type as NodeType).ports[0],
      successors: successors.get(index) ?? [],
      predecessors: predecessors.get(index) ?? [],
      parent,
      depth: depthOf(node, definitions, indexOf),
      position,
    };
  });
  return { definition, indexOf, nodes, bodies: Map.groupBy(nodes, (node) => node.parent) };
}

function parentOf({ parent }: NodeDefinition, indexOf: ReadonlyMap<string, number>): number | null {
  return parent === undefined ? null : (indexOf.get(parent) ?? null);
}

function depthOf(
  node: NodeDefinition,
  definitions: readonly NodeDefinition[],
  indexOf: ReadonlyMap<string, number>,
): number {
  let depth = 0;
  for (let index = parentOf(node, indexOf); index !== null; depth += 1) {
    index = parentOf(definitions[index] as NodeDefinition, indexOf);
  }
  return depth;
}

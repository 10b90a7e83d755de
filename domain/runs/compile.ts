import type { NodeId } from '../identifiers.ts';
import { nodeId } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import type { NodeDefinition, WorkflowDefinition } from './definition.ts';
import { nodeTypeRow, type NodeType, type NodeTypeRow } from './node-types.ts';

export type CompiledEdge = { readonly from: number; readonly to: number; readonly port: string };
export type CompiledNode = {
  readonly index: number;
  readonly id: NodeId;
  readonly type: NodeType;
  readonly row: NodeTypeRow;
  readonly definition: NodeDefinition;
  readonly config: JsonObject;
  readonly successors: readonly CompiledEdge[];
  readonly predecessors: readonly CompiledEdge[];
};

/** A definition with its graph resolved to indices. */
export type CompiledDefinition = {
  readonly definition: WorkflowDefinition;
  readonly nodes: readonly CompiledNode[];
  readonly indexOf: ReadonlyMap<string, number>;
};

/** Takes a definition that `validateDefinition` has found without problems. */
export function compileDefinition(definition: WorkflowDefinition): CompiledDefinition {
  const indexOf = new Map(definition.nodes.map((node, index) => [node.id, index]));
  const edges = definition.edges.map((edge): CompiledEdge => {
    const from = indexOf.get(edge.from) as number;
    const source = definition.nodes[from] as NodeDefinition;
    return {
      from,
      to: indexOf.get(edge.to) as number,
      port: edge.port ?? nodeTypeRow(source.type as NodeType).ports[0],
    };
  });
  const successors = Map.groupBy(edges, (edge) => edge.from);
  const predecessors = Map.groupBy(edges, (edge) => edge.to);
  return {
    definition,
    indexOf,
    nodes: definition.nodes.map((node, index) => ({
      index,
      id: nodeId(node.id),
      type: node.type as NodeType,
      row: nodeTypeRow(node.type as NodeType),
      definition: node,
      config: node.config ?? {},
      successors: successors.get(index) ?? [],
      predecessors: predecessors.get(index) ?? [],
    })),
  };
}

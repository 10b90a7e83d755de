import type { Json } from '../../json.ts';
import { isJsonObject } from '../../json.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { WorkflowDefinition } from '../definition.ts';
import { isNodeType, nodeTypeRow, type NodeType } from '../node-types.ts';
import type { NodeState } from '../run-state.ts';
import { sha256 } from './sha256.ts';

/** Versions of implementations by node type; a type that is not named is at 1. */
export type Implementations = { readonly [type: string]: number };
/** What a wait may have shown to whoever answered it: everything before it, by node id. */
export type Before = readonly Pick<NodeState, 'id' | 'status' | 'output' | 'port'>[];

/**
 * The address of a result: who computes it, by which version of its implementation, from what. The input of a node is its config with
 * every expression replaced by its value, so it stands for both.
 */
export function contentKey(
  type: NodeType,
  input: Json,
  before: Before | null = null,
  implementations: Implementations | null = null,
): string {
  const implementation = implementations ? (implementations[type] ?? 1) : (nodeTypeRow(type).implementation ?? 1);
  const seen = before?.map(({ id, status, output, port }) => [id, status, output, port]) ?? null;
  return sha256(canonicalJson([type, implementation, asked(type, input), seen]));
}

/** The hash of what a child run runs says more than its version. */
function asked(type: NodeType, input: Json): Json {
  if ((type !== 'subworkflow' && type !== 'agent') || !isJsonObject(input)) return input;
  const { version: _, ...rest } = input;
  return rest;
}

/** Of the node types of a definition, those that are not at 1; null where all are. */
export function implementationsOf({ nodes }: Pick<WorkflowDefinition, 'nodes'>): Implementations | null {
  const versions = nodes.flatMap(({ type }) => {
    const implementation = isNodeType(type) ? (nodeTypeRow(type).implementation ?? 1) : 1;
    return implementation === 1 ? [] : [[type, implementation] as const];
  });
  return versions.length === 0 ? null : Object.fromEntries(versions);
}

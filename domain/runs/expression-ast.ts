import type { ASTNode } from '@marcbachmann/cel-js';

/** Macros that evaluate their last argument once for each element of their receiver. */
export const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

export function childrenOf(node: ASTNode): ASTNode[] {
  const collect = (value: unknown): ASTNode[] => {
    if (Array.isArray(value)) return value.flatMap(collect);
    return typeof value === 'object' && value !== null && 'op' in value ? [value as ASTNode] : [];
  };
  return collect(node.args);
}

export function visit(node: ASTNode, visitor: (node: ASTNode) => void): void {
  visitor(node);
  for (const child of childrenOf(node)) visit(child, visitor);
}

/** Matches `nodes.<id>.<field>` and `nodes["<id>"].<field>`, the longest form first. */
export function nodeReference(node: ASTNode): { nodeId: string; field: string | null } | null {
  const own = selected(node);
  if (own === null) return null;
  if (own.target.op === 'id' && own.target.args === 'nodes') return { nodeId: own.name, field: null };
  const outer = selected(own.target);
  if (outer?.target.op === 'id' && outer.target.args === 'nodes') return { nodeId: outer.name, field: own.name };
  return null;
}

function selected(node: ASTNode): { target: ASTNode; name: string } | null {
  if (node.op === '.' || node.op === '.?') return { target: node.args[0], name: node.args[1] };
  if ((node.op === '[]' || node.op === '[?]') && node.args[1].op === 'value' && typeof node.args[1].args === 'string') {
    return { target: node.args[0], name: node.args[1].args };
  }
  return null;
}

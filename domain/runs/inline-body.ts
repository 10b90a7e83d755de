import type { CompiledDefinition, CompiledNode } from './compile.ts';

/** Whether a container's body does nothing but compute: however many passes it has, nothing of them is in the history. */
export function hasInlineBody(compiled: CompiledDefinition, container: CompiledNode): boolean {
  return (compiled.bodies.get(container.index) ?? []).every((node) => {
    const kind = node.row.class;
    return kind === 'inline' || kind === 'none' || (kind === 'container' && hasInlineBody(compiled, node));
  });
}

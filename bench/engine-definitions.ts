import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../domain/runs/definition.ts';

export function activityChain(length: number): WorkflowDefinition {
  const nodes = Array.from({ length }, (_, index): NodeDefinition => ({
    id: `n${index}`,
    type: 'http',
    config: { url: `http://localhost/${index}` },
  }));
  const edges = nodes.slice(1).map((node, index): EdgeDefinition => ({ from: `n${index}`, to: node.id }));
  return { name: 'bench-chain', nodes, edges, output: `nodes.n${length - 1}.output.status` };
}

/** A node that fans out to chains of transforms, as deep as a definition may be. */
export function transformGrid(chains: number, length: number): WorkflowDefinition {
  const nodes: NodeDefinition[] = [{ id: 'root', type: 'transform', config: { value: 'input.start' } }];
  const edges: EdgeDefinition[] = [];
  for (let chain = 0; chain < chains; chain += 1) {
    for (let step = 0; step < length; step += 1) {
      const before = step === 0 ? 'root' : `c${chain}_${step - 1}`;
      const id = `c${chain}_${step}`;
      nodes.push({ id, type: 'transform', config: { value: `nodes.${before}.output + 1` } });
      edges.push({ from: before, to: id });
    }
  }
  return { name: 'bench-transforms', nodes, edges, output: `nodes.c0_${length - 1}.output` };
}

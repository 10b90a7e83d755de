import type { NodeDefinition, WorkflowDefinition } from '../../domain/runs/definition.ts';

const http = (id: string, url: string, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  ...{ id, type: 'http', config: { url, method: 'POST' } },
  retry: { maximumAttempts: 20, initialIntervalMs: 100, maximumIntervalMs: 2_000 },
  ...more,
});
const delay = (id: string, durationMs: number, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  ...{ id, type: 'delay', config: { durationMs } },
  ...more,
});

/** What the soak runs; `outside` is a server that answers, and with /fail one that does not. */
export function soakDefinitions(outside: string): WorkflowDefinition[] {
  const ok = `${outside}/ok`;
  const chain = (
    name: string,
    nodes: NodeDefinition[],
    more: Partial<WorkflowDefinition> = {},
  ): WorkflowDefinition => ({
    ...{ name, nodes },
    edges: nodes.slice(1).flatMap(({ id, parent }, index) => {
      const before = nodes[index] as NodeDefinition;
      if (parent !== before.parent) return [];
      return [{ from: before.id, to: id, ...(before.type === 'approval' ? { port: 'approved' } : {}) }];
    }),
    ...more,
  });
  return [
    chain('soak-calls', [http('one', ok), http('two', ok), http('three', ok)]),
    chain('soak-map', [
      { id: 'each', type: 'map', config: { items: 'input.items', concurrency: 4, chunkSize: 3 } },
      http('call', ok, { parent: 'each' }),
    ]),
    chain(
      'soak-loop',
      [
        { id: 'round', type: 'loop', config: { maximumIterations: 12, onBound: 'route' } },
        http('call', ok, { parent: 'round' }),
        delay('breath', 50, { parent: 'round' }),
      ],
      { policies: { continueAsNewAfterEvents: 40 } },
    ),
    chain('soak-fail', [http('one', ok), http('bad', `${outside}/fail`, { retry: { maximumAttempts: 2 } })]),
    chain('soak-approval', [
      http('before', ok),
      { id: 'ask', type: 'approval', config: { title: 'Go on?' } },
      http('after', ok),
    ]),
    chain('soak-long', [http('one', ok), delay('nap', 3_600_000)]),
    chain('soak-late', [http('one', ok), delay('nap', 3_600_000)], { policies: { runTimeoutMs: 3_000 } }),
    chain('soak-child', [http('one', ok), delay('nap', 300), http('two', ok)], { output: 'nodes.two.output.status' }),
    chain('soak-parent', [{ id: 'call', type: 'subworkflow', config: { workflow: 'soak-child' } }, http('after', ok)]),
  ];
}

import type { WorkflowDefinition } from '../../domain/runs/definition.ts';

/** Calls three addresses one after the other. */
export function threeCalls(name: string, urls: readonly [string, string, string]): WorkflowDefinition {
  return {
    name,
    nodes: urls.map((url, index) => ({ id: `call${index + 1}`, type: 'http', config: { url, method: 'POST' } })),
    edges: [
      { from: 'call1', to: 'call2' },
      { from: 'call2', to: 'call3' },
    ],
    output: { last: 'nodes.call3.output.body' },
  };
}

export function approvalThen(name: string, url: string): WorkflowDefinition {
  return {
    name,
    nodes: [
      { id: 'ask', type: 'approval', config: { title: 'Go on?' } },
      { id: 'call', type: 'http', config: { url, method: 'POST' } },
    ],
    edges: [{ from: 'ask', port: 'approved', to: 'call' }],
    output: { answer: 'nodes.ask.output', call: 'nodes.call.output.body' },
  };
}

import { describe, expect, it } from '@jest/globals';
import type { NodeDefinition, WorkflowDefinition } from '../runs/definition.ts';
import { validateDefinition } from '../runs/validate.ts';
import { explainDefinition } from './explain-definition.ts';

const http = (id: string, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'http',
  config: { url: 'https://example.org', timeoutMs: 1_000 },
  ...more,
});
function explain(nodes: NodeDefinition[], more: Partial<WorkflowDefinition> = {}, input?: never) {
  const definition = { name: 'x', nodes, edges: [], ...more };
  expect(validateDefinition(definition)).toEqual([]);
  return explainDefinition(definition, input);
}
const SLOW = {
  retry: { maximumAttempts: 3, initialIntervalMs: 1_000, backoffCoefficient: 2 },
  timeouts: { startToCloseMs: 10_000 },
};

describe('a forecast', () => {
  it('counts nothing for inline nodes, and start and end for the run', () => {
    const { atMost, nodes } = explain([{ id: 'a', type: 'transform', config: { value: '1' } }]);
    expect(atMost).toMatchObject({ events: 5, actions: 1, payloads: 2, durationMs: 0, tokens: 0 });
    expect(nodes[0]).toMatchObject({ runs: 'inline', queue: null, fusion: null });
  });

  it('takes every attempt, and the waits between them, along the longest path', () => {
    const nodes = [
      http('a', SLOW),
      http('b', SLOW),
      http('c', { ...SLOW, config: { url: 'https://example.org', method: 'POST' } }),
    ];
    const { atMost } = explain(nodes, { edges: [{ from: 'a', to: 'b' }] });
    // 10 s three times, 1 s and 2 s between; c runs beside.
    expect(atMost.durationMs).toBe(2 * 33_000);
    expect(atMost.actions).toBeLessThanOrEqual(1 + 3 * 3);
  });

  it('says which nodes are fused, and why others are not', () => {
    const { nodes } = explain([http('a'), http('b'), http('c', { fuse: false })], {
      edges: [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'c' },
      ],
    });
    expect(nodes.map(({ runs }) => runs)).toEqual(['fused', 'fused', 'activity']);
    expect(nodes[2]?.fusion).toEqual({ nodeId: 'c', fused: false, why: 'fuse is false' });
    expect(nodes.map(({ cost }) => cost.events)).toEqual([4, 0, 6]);
  });

  it('multiplies by the items of a map and the passes of a loop', () => {
    const nodes: NodeDefinition[] = [
      { id: 'each', type: 'map', config: { items: 'input.list', concurrency: 2 } },
      http('call', { ...SLOW, parent: 'each', fuse: false }),
      { id: 'poll', type: 'loop', config: { maximumIterations: 7 } },
      { id: 'pause', parent: 'poll', type: 'delay', config: { durationMs: 1_000 } },
    ];
    const known = explain(nodes, { edges: [{ from: 'each', to: 'poll' }] }, { list: [1, 2, 3] } as never);
    expect(known.nodes.map(({ executions }) => executions.count)).toEqual([1, 3, 1, 7]);
    expect(known.atMost.durationMs).toBe(2 * 33_000 + 7_000);
    expect(known.remarks).toEqual([]);
    const bounded = explain(nodes, {
      input: { type: 'object', properties: { list: { type: 'array', maxItems: 20 } } },
    });
    expect(bounded.nodes[1]?.executions).toEqual({ count: 20, known: true });
    const open = explain(nodes);
    expect(open.nodes[1]?.executions).toEqual({ count: 10_000, known: false });
    expect(open.remarks[0]).toContain('each goes over a list whose length is not known');
    expect(open.atMost.childEvents).toBe(10_000 * 6);
  });

  it('has no duration where somebody may be waited for for ever, unless the run has a timeout', () => {
    const ask: NodeDefinition = { id: 'ask', type: 'approval', config: { title: 'x' } };
    expect(explain([ask])).toMatchObject({
      atMost: { durationMs: null },
      remarks: ['ask may take for ever: it waits for a person for ever: set timeoutMs'],
    });
    expect(explain([ask], { policies: { runTimeoutMs: 5_000 } }).atMost.durationMs).toBe(5_000);
  });

  it('bounds tokens where every model call says how many', () => {
    const model = (config: object): NodeDefinition => ({
      id: 'm',
      type: 'model.complete',
      config: { prompt: 'x'.repeat(40), ...config },
      retry: { maximumAttempts: 2 },
    });
    expect(explain([model({ maxOutputTokens: 100 })]).atMost).toMatchObject({ modelCalls: 2, tokens: 220 });
    expect(explain([model({})])).toMatchObject({
      atMost: { tokens: null },
      remarks: ['m has no maxOutputTokens, so its cost has no bound'],
    });
  });
});

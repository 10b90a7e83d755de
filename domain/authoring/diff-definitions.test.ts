import { describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../runs/definition.ts';
import { describeDiff, diffDefinitions } from './diff-definitions.ts';

const BEFORE: WorkflowDefinition = {
  name: 'order',
  input: { type: 'object', properties: { n: { type: 'integer' } } },
  nodes: [
    { id: 'a', type: 'transform', config: { value: { x: '1', y: '2' } } },
    { id: 'check', type: 'branch', config: { condition: 'input.n > 1' } },
    { id: 'gone', type: 'merge' },
  ],
  edges: [
    { from: 'a', to: 'check' },
    { from: 'check', to: 'gone', port: 'true' },
  ],
  policies: { onNodeFailure: 'drain' },
};

describe('the difference of two definitions', () => {
  it('is none where only the order of nodes, edges and fields differs', () => {
    const shuffled = structuredClone(BEFORE);
    shuffled.nodes.reverse();
    shuffled.edges.reverse();
    const { edges, name, ...others } = shuffled;
    expect(diffDefinitions(BEFORE, { edges, ...others, name })).toMatchObject({ same: true });
  });

  it('names nodes, edges, schema and policies that were added, changed and removed', () => {
    const after: WorkflowDefinition = {
      ...BEFORE,
      input: { type: 'object', properties: { n: { type: 'number' }, 'a/b': {} } },
      nodes: [
        { id: 'a', type: 'transform', name: 'A', config: { value: { x: '1', y: '3' } } },
        { id: 'check', type: 'branch', config: { condition: 'input.n > 1' } },
        { id: 'fresh', type: 'merge' },
      ],
      edges: [
        { from: 'a', to: 'check' },
        { from: 'check', to: 'fresh', port: 'false' },
      ],
      policies: { onNodeFailure: 'cancel', runTimeoutMs: 5 },
      output: { x: 'input.n' },
    };
    const diff = diffDefinitions(BEFORE, after);
    expect(diff.same).toBe(false);
    expect(describeDiff(diff)).toEqual([
      '+ node fresh (merge)',
      '- node gone (merge)',
      '~ node a /config/value/y: "2" -> "3"',
      '+ node a /name: "A"',
      '+ edge check.false -> fresh',
      '- edge check.true -> gone',
      '~ input /properties/n/type: "integer" -> "number"',
      '+ input /properties/a~1b: {}',
      '+ output: {"x":"input.n"}',
      '~ policies /onNodeFailure: "drain" -> "cancel"',
      '+ policies /runTimeoutMs: 5',
    ]);
  });

  it('reads backwards as forwards', () => {
    const after = { ...BEFORE, nodes: BEFORE.nodes.slice(0, 2), edges: BEFORE.edges.slice(0, 1) };
    const [forwards, backwards] = [diffDefinitions(BEFORE, after), diffDefinitions(after, BEFORE)];
    expect(backwards.nodes.added).toEqual(forwards.nodes.removed);
    expect(backwards.edges.added).toEqual(forwards.edges.removed);
  });
});

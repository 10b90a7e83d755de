import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RANDOM_INPUT, randomRun } from '../../../tests/random-definition.ts';
import { nodeId, runId } from '../../identifiers.ts';
import { compileDefinition } from '../compile.ts';
import type { NodeDefinition, WorkflowDefinition } from '../definition.ts';
import { evolve } from '../evolve.ts';
import { executionsOf, initialState, type NodeState, type RunState } from '../run-state.ts';
import { simulate, type SimulatedResult } from '../simulate.ts';
import { checkClosedRun, type ClosedRun } from './check-closed-run.ts';
import { checkOpenRun } from './check-open-run.ts';

const call = (id: string, url = 'https://example.org/'): NodeDefinition => ({
  id,
  type: 'http',
  config: { url, method: 'POST' },
});
const chain = (nodes: NodeDefinition[], rest: Partial<WorkflowDefinition> = {}) =>
  compileDefinition({
    name: 'w',
    nodes,
    edges: nodes.slice(1).map((node, index) => ({ from: (nodes[index] as NodeDefinition).id, to: node.id })),
    ...rest,
  });

function recorded(state: RunState, dropped: readonly NodeState[]): ClosedRun {
  const time = (at: number | null) => (at === null ? null : new Date(at));
  return {
    input: state.input,
    status: state.status,
    executions: [...dropped, ...executionsOf(state)].map((node) => ({
      runId: runId('r'),
      nodeId: node.id,
      iteration: node.iteration,
      type: node.type,
      status: node.status,
      port: 'port' in node ? node.port : null,
      output: node.output,
      error: node.error,
      startedAt: time(node.startedAt),
      closedAt: time(node.closedAt),
    })),
  };
}

describe('a run under way', () => {
  const from = chain([call('charge'), { id: 'ask', type: 'approval', config: { title: 'Go on?' } }, call('ship')]);
  let state = evolve(from, initialState(from), { type: 'run.started', at: 1, input: {} });
  const charge = { nodeId: nodeId('charge'), iteration: '1' };
  state = evolve(from, state, { type: 'node.scheduled', at: 2, ...charge });
  state = evolve(from, state, { type: 'node.completed', at: 3, ...charge, output: { status: 200 } });
  const ask: NodeDefinition = { id: 'ask', type: 'approval', config: { title: 'Go on?' } };

  it('continues when nothing that it has done changes, and says what was done as before', () => {
    const to = chain([call('charge', 'https://example.com/'), ask, call('ship'), call('tell')]);
    expect(checkOpenRun(from, to, state, {})).toEqual({
      verdict: 'CONTINUES',
      problems: [],
      repeats: [],
      doneAsBefore: ['charge'],
    });
  });

  it('repeats an effect when the node that had it goes by another name, until that is said', () => {
    const to = chain([call('pay'), ask, call('ship')]);
    expect(checkOpenRun(from, to, state, {})).toMatchObject({
      verdict: 'REPEATS_EFFECT',
      problems: [{ code: 'RESULT_VANISHED', nodeId: 'charge', suggestions: ['pay'] }],
      repeats: [{ nodeId: 'charge', iteration: '1', again: ['pay'] }],
    });
    expect(checkOpenRun(from, to, state, { charge: null }).verdict).toBe('REPEATS_EFFECT');
    expect(checkOpenRun(from, to, state, { charge: 'pay' }).verdict).toBe('CONTINUES');
  });

  it('needs a mapping when a result has no place and nothing would be done again', () => {
    const to = chain([ask, { id: 'done', type: 'transform', config: { value: '1' } }]);
    expect(checkOpenRun(from, to, state, {})).toMatchObject({ verdict: 'NEEDS_MAPPING', repeats: [] });
    expect(checkOpenRun(from, to, state, { charge: null }).verdict).toBe('CONTINUES');
  });
});

describe('a run that has ended', () => {
  const results = (id: string): SimulatedResult =>
    id === 'ask' ? { decision: 'APPROVED' } : { output: { status: id === 'first' ? 200 : 500 } };
  const route = (limit: number, extra: NodeDefinition[] = []) =>
    compileDefinition({
      name: 'w',
      nodes: [
        call('first'),
        { id: 'fine', type: 'branch', config: { condition: `nodes.first.output.status < ${limit}` } },
        { id: 'ask', type: 'approval', config: { title: 'Go on?' } },
        call('second'),
        ...extra,
      ],
      edges: [
        { from: 'first', to: 'fine' },
        { from: 'fine', port: 'true', to: 'ask' },
        { from: 'fine', port: 'false', to: 'second' },
        ...extra.map((node) => ({ from: 'ask', port: 'approved', to: node.id })),
      ],
      output: 'nodes.ask.output.decision',
    });
  const from = route(300);
  const played = simulate(from, { input: {}, results });
  const run = recorded(played.state, played.dropped);

  it('ends the same in a version that does the same', () => {
    expect(checkClosedRun(from, route(201), run, {})).toEqual({ verdict: 'SAME', differences: [], missing: [] });
  });

  it('ends differently when it takes another way, which is named, with the results that nobody knows', () => {
    const check = checkClosedRun(from, route(100), run, {});
    expect(check.verdict).toBe('ENDS_DIFFERENTLY');
    expect(check.missing).toEqual(['second']);
    expect(check.differences).toEqual(
      expect.arrayContaining([
        { what: 'status', before: 'COMPLETED', after: 'RUNNING' },
        { what: 'node fine', before: 'COMPLETED by true', after: 'COMPLETED by false' },
        { what: 'node ask', before: 'COMPLETED by approved', after: 'SKIPPED' },
      ]),
    );
  });

  it('follows renamed nodes', () => {
    const renamed = (definition: WorkflowDefinition) =>
      compileDefinition(JSON.parse(JSON.stringify(definition).replaceAll('first', 'begin')) as WorkflowDefinition);
    const to = renamed(from.definition);
    expect(checkClosedRun(from, to, run, {}).missing).toEqual(['begin']);
    expect(checkClosedRun(from, to, run, { first: 'begin' })).toMatchObject({ verdict: 'SAME' });
  });

  it('ends the same in its own version, whatever the definition', () => {
    let comparable = 0;
    fc.assert(
      fc.property(randomRun({ onNodeFailure: 'drain' }), ({ definition, outcomeOf }) => {
        const compiled = compileDefinition(definition);
        const { state, dropped } = simulate(compiled, { input: RANDOM_INPUT, results: (id) => outcomeOf(id) });
        const check = checkClosedRun(compiled, compiled, recorded(state, dropped), {});
        expect(check.verdict).not.toBe('ENDS_DIFFERENTLY');
        comparable += Number(check.verdict === 'SAME');
      }),
      { numRuns: 200 },
    );
    expect(comparable).toBeGreaterThan(100);
  });
});

import { describe, expect, it } from '@jest/globals';
import { runId } from '../../identifiers.ts';
import { compileDefinition } from '../compile.ts';
import type { NodeDefinition, WorkflowDefinition } from '../definition.ts';
import { executionsOf } from '../run-state.ts';
import { type SimulatedResult, type SimulatedRun, simulate } from '../simulate.ts';
import { type ComparedRun, compareRuns } from './compare-runs.ts';
import type { EarlierRun } from './earlier-run.ts';
import { rehearsalOf, rehearsalSeed } from './rehearsal-seed.ts';
import { setInDefinition } from './set-in-definition.ts';

const model: NodeDefinition = {
  id: 'classify',
  type: 'model.complete',
  config: { prompt: 'Is this spam?', values: { text: 'input.text' } },
};
const definition: WorkflowDefinition = {
  name: 'triage',
  nodes: [
    model,
    { id: 'isSpam', type: 'branch', config: { condition: 'nodes.classify.output.text == "yes"' } },
    {
      id: 'reply',
      type: 'http',
      config: { url: 'http://mail.example/', method: 'POST', body: 'nodes.classify.output.text' },
      undo: { type: 'http', config: { url: 'http://mail.example/undo', method: 'POST' } },
    },
    { id: 'block', type: 'http', config: { url: 'http://block.example/', method: 'POST' } },
    { id: 'ask', type: 'approval', config: { title: '{{nodes.classify.output.text}}?' } },
  ],
  edges: [
    { from: 'classify', to: 'isSpam' },
    { from: 'isSpam', to: 'reply', port: 'false' },
    { from: 'isSpam', to: 'block', port: 'true' },
    { from: 'reply', to: 'ask' },
  ],
  output: '{"verdict": nodes.classify.output.text}',
};

function play(
  of: WorkflowDefinition,
  answer: (id: string) => SimulatedResult,
  seed?: ReturnType<typeof rehearsalSeed>,
) {
  const calls: string[] = [];
  const run = simulate(compileDefinition(of), {
    input: { text: 'hello' },
    startAt: 1_000,
    results: (id) => {
      calls.push(id);
      return answer(id);
    },
    ...(seed ? { seed } : {}),
  });
  return { ...run, calls };
}

function runOf(of: WorkflowDefinition, { state, dropped }: SimulatedRun): EarlierRun & ComparedRun {
  const date = (at: number | null) => (at === null ? null : new Date(at));
  const executions = [...dropped, ...executionsOf(state)].map((node) => ({
    ...node,
    runId: runId('first'),
    nodeId: node.id,
    port: 'port' in node ? node.port : null,
    handled: false,
    startedAt: date(node.startedAt),
    closedAt: date(node.closedAt),
    reusedFrom: 'reused' in node && node.reused ? runId(node.reused) : null,
  }));
  const { status, output, error } = state;
  const compiled = compileDefinition(of);
  return {
    id: runId('first'),
    status,
    input: { text: 'hello' },
    output,
    error,
    compiled,
    state,
    executions,
    implementations: {},
  };
}

const says =
  (text: string, tokens: number) =>
  (id: string): SimulatedResult => {
    if (id === 'ask') return { decision: 'APPROVED', durationMs: 1_000 };
    if (id !== 'classify') return { output: { status: 200 }, durationMs: 50 };
    return { output: { text, usage: { inputTokens: tokens, outputTokens: 1 } }, durationMs: 200 };
  };

function whatIf(changes: { [place: string]: string }, text: string, named: string[] = []) {
  const before = runOf(definition, play(definition, says('no', 10)));
  const other = setInDefinition(definition, changes);
  const rehearsal = rehearsalOf(compileDefinition(other), named, []);
  const second = play(other, says(text, 7), rehearsalSeed(before, rehearsal));
  return { calls: second.calls, state: second.state, comparison: compareRuns(before, runOf(other, second)) };
}

describe('a counterfactual run', () => {
  it('with nothing different calls nobody and is the same', () => {
    const { calls, comparison } = whatIf({}, 'unused');
    expect(calls).toEqual([]);
    expect(comparison).toMatchObject({ same: true, ran: [], durationMs: { before: 1_250, after: 1_250 } });
    expect(comparison.cost.after).toEqual(comparison.cost.before);
  });

  it('with another prompt asks the model alone, and says what would have been asked of others', () => {
    const { calls, comparison, state } = whatIf({ 'classify.config.prompt': 'Spam?' }, 'nope');
    expect(calls).toEqual(['classify']);
    expect(state.status).toBe('COMPLETED');
    expect(comparison).toMatchObject({
      same: false,
      differences: [{ what: 'output.verdict', before: 'no', after: 'nope' }],
      path: [],
      divergences: [
        { nodeId: 'reply', recorded: true, before: { body: 'no' }, after: { body: 'nope' } },
        { nodeId: 'ask', recorded: true },
      ],
      ran: ['classify#1'],
      cost: { before: { inputTokens: 10 }, after: { inputTokens: 7 } },
    });
  });

  it('that goes another way does not call what the first had no answer of', () => {
    const { calls, comparison, state } = whatIf({ 'classify.config.prompt': 'Spam?' }, 'yes');
    expect(calls).toEqual(['classify']);
    expect(state).toMatchObject({ status: 'FAILED', error: { code: 'NOT_RECORDED', nodeId: 'block' } });
    expect(comparison.path.map(({ what }) => what).toSorted()).toEqual(['ask#1', 'block#1', 'isSpam#1', 'reply#1']);
    expect(comparison.divergences).toMatchObject([{ nodeId: 'block', recorded: false }]);
  });

  it('runs other nodes when they are named, and never undoes anything', () => {
    const { calls } = whatIf({ 'classify.config.prompt': 'Spam?' }, 'yes', ['block']);
    expect(calls).toEqual(['classify', 'block']);
    const failing = play(definition, (id) =>
      id === 'reply' ? { error: { code: 'DOWN', message: 'down', hint: null } } : says('no', 1)(id),
    );
    const before = runOf(definition, failing);
    const second = play(definition, says('no', 1), rehearsalSeed(before, { live: ['classify'], again: ['classify'] }));
    expect(second.calls).toEqual(['classify']);
    expect(second.state).toMatchObject({ status: 'FAILED', error: { code: 'DOWN' } });
  });

  it('changes fields of nodes alone, each of which must be there', () => {
    expect(() => setInDefinition(definition, { 'nobody.config.prompt': 'x' })).toThrow('no node nobody');
    expect(() => setInDefinition(definition, { classify: 'x' })).toThrow('must name a field');
    expect(() => setInDefinition(definition, { 'classify.type.deep': 'x' })).toThrow('type has no fields');
    expect(() => setInDefinition(definition, { 'classify.constructor.prototype': 'x' })).toThrow('is no field');
    expect(setInDefinition(definition, { 'classify.config.values': null }).nodes[0]?.config).toEqual({
      prompt: 'Is this spam?',
    });
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RANDOM_INPUT, randomRun } from '../../tests/random-definition.ts';
import { type NodeId, nodeId } from '../identifiers.ts';
import type { Json } from '../json.ts';
import { type CompiledDefinition, compileDefinition } from './compile.ts';
import { decide } from './decide.ts';
import type { EdgeDefinition, NodeDefinition, RunPolicies } from './definition.ts';
import { evolve } from './evolve.ts';
import type { RunEvent } from './run-event.ts';
import { initialState, type RunState } from './run-state.ts';
import { isClosed } from './run-status.ts';

const http = (id: string): NodeDefinition => ({ id, type: 'http', config: { url: 'https://example.org/' } });
const transform = (id: string, value: string): NodeDefinition => ({ id, type: 'transform', config: { value } });
const merge = (id: string, mode = 'object'): NodeDefinition => ({ id, type: 'merge', config: { mode } });
const branch = (id: string, condition: string): NodeDefinition => ({ id, type: 'branch', config: { condition } });

/** `a -> b` or, by a port, `a.true -> b`. */
function edges(...texts: string[]): EdgeDefinition[] {
  return texts.map((text) => {
    const [source, to] = text.split(' -> ') as [string, string];
    const [from, port] = source.split('.') as [string, string | undefined];
    return port === undefined ? { from, to } : { from, to, port };
  });
}

/** A run driven by hand. */
class Run {
  readonly compiled: CompiledDefinition;
  state: RunState;

  constructor(nodes: NodeDefinition[], joined: EdgeDefinition[], policies: RunPolicies = {}, input: Json = {}) {
    this.compiled = compileDefinition({ name: 'test', nodes, edges: joined, policies });
    this.state = initialState(this.compiled);
    this.apply({ type: 'run.started', at: 1, input });
  }

  apply(event: RunEvent): this {
    this.state = evolve(this.compiled, this.state, event);
    return this;
  }

  complete(id: string, output: Json = id): this {
    return this.apply({ type: 'node.scheduled', at: 2, ...ref(id) }).apply({
      type: 'node.completed',
      at: 3,
      ...ref(id),
      output,
    });
  }

  fail(id: string): this {
    const error = { code: 'HTTP_STATUS', message: `${id} failed`, nodeId: null, hint: null };
    return this.apply({ type: 'node.scheduled', at: 2, ...ref(id) }).apply({
      type: 'node.failed',
      at: 3,
      ...ref(id),
      error,
    });
  }

  statuses(): Record<string, string> {
    return Object.fromEntries(this.state.nodes.map((node) => [node.id, node.status]));
  }

  node(id: string) {
    return this.state.nodes.find((node) => node.id === id);
  }

  commands() {
    return decide(this.compiled, this.state);
  }
}

const ref = (id: string): { nodeId: NodeId; iteration: string } => ({ nodeId: nodeId(id), iteration: '1' });

describe('a join', () => {
  it('waits for every live predecessor', () => {
    const run = new Run([http('a'), http('b'), http('c'), merge('join')], edges('a -> join', 'b -> join', 'c -> join'));
    run.complete('a').complete('c');
    expect(run.statuses()).toMatchObject({ a: 'COMPLETED', b: 'PENDING', join: 'PENDING' });
    run.complete('b');
    expect(run.node('join')).toMatchObject({ status: 'COMPLETED', output: { a: 'a', b: 'b', c: 'c' } });
  });

  it('never waits for a skipped one', () => {
    const run = new Run(
      [branch('choice', 'false'), http('taken'), http('skipped'), http('after'), merge('join', 'list')],
      edges('choice.false -> taken', 'choice.true -> skipped', 'skipped -> after', 'after -> join', 'taken -> join'),
    );
    expect(run.statuses()).toEqual({
      choice: 'COMPLETED',
      taken: 'PENDING',
      skipped: 'SKIPPED',
      after: 'SKIPPED',
      join: 'PENDING',
    });
    run.complete('taken', 42);
    expect(run.node('join')).toMatchObject({ status: 'COMPLETED', output: [42] });
  });

  it('is skipped when all of its predecessors are, and so is what follows it', () => {
    const run = new Run(
      [branch('choice', 'true'), http('x'), http('y'), merge('join'), transform('after', '1')],
      edges('choice.false -> x', 'choice.false -> y', 'x -> join', 'y -> join', 'join -> after'),
    );
    expect(run.statuses()).toEqual({
      choice: 'COMPLETED',
      x: 'SKIPPED',
      y: 'SKIPPED',
      join: 'SKIPPED',
      after: 'SKIPPED',
    });
    expect(run.commands()).toEqual([{ type: 'completeRun', output: null }]);
  });

  it('runs once when both ports of a branch lead to it', () => {
    const run = new Run(
      [branch('choice', 'true'), merge('join', 'first')],
      edges('choice.true -> join', 'choice.false -> join'),
    );
    expect(run.node('join')).toMatchObject({ status: 'COMPLETED', output: true });
  });

  it('takes nothing from a branch that went the other way', () => {
    const run = new Run(
      [branch('choice', 'false'), transform('other', '7'), merge('join')],
      edges('choice.true -> join', 'other -> join'),
    );
    expect(run.node('join')?.output).toEqual({ other: 7 });
  });

  it('takes the first live predecessor in the order of the definition, not of completion', () => {
    const run = new Run([http('a'), http('b'), merge('join', 'first')], edges('a -> join', 'b -> join'));
    run.complete('b').complete('a');
    expect(run.node('join')?.output).toBe('a');
  });
});

describe('a failed node', () => {
  const nodes = [http('slow'), http('bad'), http('after'), transform('last', '1'), http('worse')];
  const joined = edges('bad -> after', 'after -> last', 'slow -> last');

  it('cancels what follows it and lets the other branches finish', () => {
    const run = new Run(nodes, joined).fail('bad');
    expect(run.statuses()).toMatchObject({ bad: 'FAILED', after: 'CANCELLED', last: 'PENDING', slow: 'PENDING' });
    expect(run.commands().map((command) => command.type)).toEqual(['scheduleActivity', 'scheduleActivity']);
    run.complete('slow');
    expect(run.statuses()).toMatchObject({ last: 'CANCELLED' });
  });

  it('fails the run by the first failed node in the order of the definition', () => {
    const run = new Run(nodes, joined).fail('worse').complete('slow').fail('bad');
    expect(run.commands()).toEqual([
      { type: 'failRun', error: { code: 'HTTP_STATUS', message: 'bad failed', nodeId: 'bad', hint: null } },
    ]);
  });

  it('ends the run at once under the policy cancel', () => {
    const run = new Run(nodes, joined, { onNodeFailure: 'cancel' }).fail('worse');
    expect(run.commands()).toMatchObject([{ type: 'failRun', error: { nodeId: 'worse' } }]);
    run.apply({ type: 'run.failed', at: 9, error: { code: 'X', message: '', nodeId: 'worse', hint: null } });
    expect(run.statuses()).toEqual({
      slow: 'CANCELLED',
      bad: 'CANCELLED',
      after: 'CANCELLED',
      last: 'CANCELLED',
      worse: 'FAILED',
    });
    expect(run.state).toMatchObject({ status: 'FAILED', closedAt: 9 });
  });

  it('wins over a skip: a follower of both is cancelled', () => {
    const run = new Run(
      [branch('choice', 'true'), http('skipped'), http('bad'), merge('join')],
      edges('choice.false -> skipped', 'skipped -> join', 'bad -> join'),
    ).fail('bad');
    expect(run.statuses()).toMatchObject({ skipped: 'SKIPPED', join: 'CANCELLED' });
  });

  it('may fail inline, by its expression, with the expression in the message', () => {
    const run = new Run([transform('bad', 'input.missing.field')], []);
    expect(run.node('bad')).toMatchObject({
      status: 'FAILED',
      error: { code: 'EXPRESSION_FAILED', nodeId: 'bad', message: expect.stringContaining('input.missing.field') },
    });
  });
});

describe('an activity cancelled while the run is not', () => {
  it('fails the run by its name, for its followers are lost', () => {
    const run = new Run([transform('first', '1'), http('a'), http('b')], edges('a -> b'));
    run.apply({ type: 'node.scheduled', at: 2, ...ref('a') }).apply({ type: 'node.cancelled', at: 3, ...ref('a') });
    expect(run.statuses()).toEqual({ first: 'COMPLETED', a: 'CANCELLED', b: 'CANCELLED' });
    expect(run.commands()).toMatchObject([{ type: 'failRun', error: { code: 'NODE_FAILED', nodeId: 'a' } }]);
  });
});

describe('a run', () => {
  it('is WAITING only while nothing runs and something waits', () => {
    const ask: NodeDefinition = { id: 'ask', type: 'approval', config: { title: 'Go on?' } };
    const run = new Run([http('a'), ask], []);
    expect(run.state.status).toBe('RUNNING');
    run.complete('a');
    expect(run.state.status).toBe('WAITING');
    run.apply({
      type: 'approval.decided',
      at: 4,
      ...ref('ask'),
      decision: 'APPROVED',
      comment: null,
      data: { n: 1 },
      decidedBy: 'ada',
    });
    expect(run.state.status).toBe('RUNNING');
    expect(run.node('ask')).toMatchObject({
      port: 'approved',
      output: { decision: 'APPROVED', comment: null, data: { n: 1 }, decidedBy: 'ada' },
      startedAt: 1,
      closedAt: 4,
    });
  });

  it('is cancelled once cancellation is requested, whatever is due', () => {
    const run = new Run([http('a')], []).apply({ type: 'run.cancel_requested', at: 2, reason: 'enough' });
    expect(run.commands()).toEqual([{ type: 'cancelRun' }]);
  });

  it('keeps the attempts that were made', () => {
    const run = new Run([http('a')], []).apply({ type: 'node.scheduled', at: 2, ...ref('a') });
    run.apply({ type: 'node.started', at: 3, attempt: 3, ...ref('a') });
    expect(run.node('a')).toMatchObject({ status: 'RUNNING', attempts: 3 });
  });

  it('is not moved by results of another iteration', () => {
    const run = new Run([http('a')], []).apply({ type: 'node.scheduled', at: 2, ...ref('a') });
    run.apply({ type: 'node.completed', at: 3, nodeId: nodeId('a'), iteration: '2', output: 1 });
    expect(run.statuses()).toEqual({ a: 'RUNNING' });
  });

  it('starts the timer of a wait once', () => {
    const run = new Run([{ id: 'pause', type: 'delay', config: { durationMs: 5 } }], []);
    expect(run.commands()).toEqual([{ type: 'startTimer', ...ref('pause'), durationMs: 5 }]);
    expect(run.apply({ type: 'timer.started', at: 2, ...ref('pause') }).commands()).toEqual([]);
  });

  it('fails with OUTPUT_INVALID when its output mapping fails', () => {
    const compiled = compileDefinition({
      name: 'x',
      nodes: [transform('a', '1')],
      edges: [],
      output: { bad: 'input.missing' },
    });
    const state = evolve(compiled, initialState(compiled), { type: 'run.started', at: 1, input: {} });
    expect(decide(compiled, state)).toMatchObject([
      { type: 'failRun', error: { code: 'OUTPUT_INVALID', nodeId: null } },
    ]);
  });

  it('resolves a config in full before the activity is due', () => {
    const node: NodeDefinition = {
      id: 'call',
      type: 'http',
      config: {
        url: 'https://example.org/{{encode input.q}}',
        body: { sum: 'input.n + 1', constant: '"x"' },
        timeoutMs: 5,
      },
    };
    const run = new Run([node], [], {}, { q: 'a b', n: 1 });
    expect(run.node('call')).toMatchObject({
      due: true,
      input: { url: 'https://example.org/a%20b', body: { sum: 2, constant: 'x' }, timeoutMs: 5 },
    });
  });

  it('refuses a computed duration that is not whole, not positive or beyond a year', () => {
    for (const duration of ['input.n / 2', '-1', '1e15', '"soon"', 'null']) {
      const run = new Run([{ id: 'pause', type: 'delay', config: { durationMs: duration } }], [], {}, { n: 1 });
      expect(run.node('pause')).toMatchObject({ status: 'FAILED', error: { code: 'EXPRESSION_FAILED' } });
    }
  });

  it('runs nodes named like members of Object.prototype', () => {
    const run = new Run(
      [transform('constructor', '1'), transform('toString', 'nodes.constructor.output + 1'), merge('valueOf')],
      edges('constructor -> toString', 'toString -> valueOf', 'constructor -> valueOf'),
    );
    expect(run.node('valueOf')?.output).toEqual({ constructor: 1, toString: 2 });
  });
});

describe('evolve', () => {
  const reference = fc.record({
    nodeId: fc.constantFrom('n0', 'n1', 'n2', 'n3', 'nobody', 'constructor', '__proto__').map(nodeId),
    iteration: fc.constantFrom('1', '1', '1', '0', '2', '1.1', ''),
  });
  const error = fc.record({
    code: fc.string(),
    message: fc.string(),
    nodeId: fc.option(fc.string()),
    hint: fc.option(fc.string()),
  });
  const json = fc.jsonValue() as fc.Arbitrary<Json>;
  const field = fc.oneof(
    fc
      .constantFrom('node.scheduled', 'node.cancelled', 'timer.started', 'timer.fired')
      .chain((type) => reference.map((at) => ({ type, ...at }))),
    fc
      .record({ type: fc.constant('node.started'), attempt: fc.nat() })
      .chain((start) => reference.map((at) => ({ ...start, ...at }))),
    fc
      .record({ type: fc.constant('node.completed'), output: json })
      .chain((end) => reference.map((at) => ({ ...end, ...at }))),
    fc.record({ type: fc.constant('node.failed'), error }).chain((end) => reference.map((at) => ({ ...end, ...at }))),
    fc
      .record({
        type: fc.constant('approval.decided'),
        decision: fc.constantFrom('APPROVED', 'REJECTED'),
        comment: fc.option(fc.string()),
        data: json,
        decidedBy: fc.option(fc.string()),
      })
      .chain((decided) => reference.map((at) => ({ ...decided, ...at }))),
    fc.record({
      type: fc.constantFrom('run.started', 'run.started'),
      input: fc.constantFrom<Json>(RANDOM_INPUT, null, 7),
    }),
    fc.record({ type: fc.constantFrom('run.cancel_requested', 'run.terminated'), reason: fc.constant(null) }),
    fc.record({ type: fc.constantFrom('run.cancelled', 'run.timed_out') }),
    fc.record({ type: fc.constant('run.completed'), output: json }),
    fc.record({ type: fc.constant('run.failed'), error }),
  );
  const event = fc.tuple(field, fc.nat()).map(([fields, at]) => ({ ...fields, at }));

  it('takes any sequence of events without throwing, and never changes a closed run', () => {
    fc.assert(
      fc.property(randomRun({ maxNodes: 6 }), fc.array(event, { maxLength: 40 }), ({ definition }, events) => {
        const compiled = compileDefinition(definition);
        let state = initialState(compiled);
        for (const next of events) {
          const after = evolve(compiled, state, next);
          if (isClosed(state.status)) expect(after).toBe(state);
          state = after;
          decide(compiled, state);
        }
        expect(state.nodes).toHaveLength(compiled.bodies.get(null)?.length ?? 0);
      }),
      { numRuns: 400 },
    );
  });

  it('never changes the state it is given', () => {
    fc.assert(
      fc.property(randomRun({ maxNodes: 6 }), fc.array(event, { maxLength: 20 }), ({ definition }, events) => {
        const compiled = compileDefinition(definition);
        let state = initialState(compiled);
        for (const next of [{ type: 'run.started', at: 0, input: RANDOM_INPUT } as const, ...events]) {
          const before = structuredClone(state);
          const after = evolve(compiled, state, next);
          expect(state).toEqual(before);
          state = after;
        }
      }),
      { numRuns: 100 },
    );
  });
});

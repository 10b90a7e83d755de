import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomRun, RANDOM_INPUT } from '../../../tests/random-definition.ts';
import { compileDefinition } from '../compile.ts';
import type { NodeDefinition, WorkflowDefinition } from '../definition.ts';
import { evolve } from '../evolve.ts';
import { executionsOf, initialState, type RunState } from '../run-state.ts';
import { nodeId } from '../../identifiers.ts';
import { type SimulatedResult, simulate } from '../simulate.ts';
import { decide } from '../decide.ts';
import { migrateState } from './migrate-state.ts';

const outcome = (state: RunState) => ({
  status: state.status,
  output: state.output,
  error: state.error?.code ?? null,
  nodes: state.nodes.map(({ id, status, output, port }) => [id, status, output, port]),
  // Which of two at the same instant comes first is not part of the outcome.
  undos: state.undos.map(({ id, iteration, status }) => `${id}#${iteration} ${status}`).toSorted(),
});

const migrated = (value: ReturnType<typeof migrateState>): RunState => {
  if ('status' in value) return value;
  throw new Error(JSON.stringify(value));
};

const random = (options: Parameters<typeof randomRun>[0]) =>
  fc.tuple(randomRun(options), fc.infiniteStream(fc.nat({ max: 5 })), fc.nat({ max: 5 }));

describe('migrating a run to the version that it has', () => {
  it('changes nothing of how it ends, wherever it happens and however often', () => {
    fc.assert(
      fc.property(random({ onNodeFailure: 'drain' }), ([{ definition, outcomeOf }, durations, every]) => {
        const compiled = compileDefinition(definition);
        const times = new Map<string, number>();
        const results = (id: string, _: RunState, iteration: string): SimulatedResult | null => {
          const result = outcomeOf(id);
          const key = `${id}#${iteration}`;
          if (!times.has(key)) times.set(key, 100 * (durations.next().value as number));
          return result && { ...result, durationMs: times.get(key) as number };
        };
        const plain = simulate(compiled, { input: RANDOM_INPUT, results });
        const moved = simulate(compiled, {
          input: RANDOM_INPUT,
          results,
          continueAsNew: (step) => step % (every + 1) === 0,
          migrate: (state) => ({ compiled, state: migrated(migrateState(compiled, compiled, state)) }),
        });
        expect(moved.stuck).toBe(false);
        expect(outcome(moved.state)).toEqual(outcome(plain.state));
      }),
      { numRuns: 400 },
    );
  });

  it('keeps every execution, the counters, and what is due', () => {
    fc.assert(
      fc.property(random({}), ([{ definition, outcomeOf }]) => {
        const compiled = compileDefinition(definition);
        simulate(compiled, {
          input: RANDOM_INPUT,
          results: (id) => outcomeOf(id),
          continueAsNew: () => true,
          migrate: (state) => {
            if (state.cancelRequested || state.doomed) return { compiled, state };
            const after = migrated(migrateState(compiled, compiled, state));
            expect(executionsOf(after)).toEqual(executionsOf(state));
            const { agenda: _, ...rest } = after;
            const { agenda: __, ...before } = state;
            expect(rest).toEqual({ ...before, dropped: [] });
            expect(decide(compiled, after)).toEqual(decide(compiled, state));
            return { compiled, state };
          },
        });
      }),
      { numRuns: 300 },
    );
  });

  it('can be put back from a version with the nodes in another order', () => {
    fc.assert(
      fc.property(random({ onNodeFailure: 'drain' }), ([{ definition, outcomeOf }]) => {
        const from = compileDefinition(definition);
        const reversed = compileDefinition({ ...definition, nodes: definition.nodes.toReversed() });
        simulate(from, {
          input: RANDOM_INPUT,
          results: (id) => outcomeOf(id),
          continueAsNew: () => true,
          migrate: (state) => {
            const there = migrated(migrateState(from, reversed, state));
            const back = migrated(migrateState(reversed, from, there));
            expect(outcome(back)).toEqual(outcome(state));
            expect([back.open, back.busy, back.waiting, back.status]).toEqual([
              state.open,
              state.busy,
              state.waiting,
              state.status,
            ]);
            return { compiled: from, state: back };
          },
        });
      }),
      { numRuns: 200 },
    );
  });
});

const value = (id: string, expression: string): NodeDefinition => ({
  id,
  type: 'transform',
  config: { value: expression },
});
const wait = (id: string): NodeDefinition => ({ id, type: 'approval', config: { title: 'Go on?' } });
const call = (id: string, url = 'https://example.org/'): NodeDefinition => ({ id, type: 'http', config: { url } });
const chain = (nodes: NodeDefinition[], rest: Partial<WorkflowDefinition> = {}): WorkflowDefinition => ({
  name: 'w',
  nodes,
  edges: nodes.slice(1).map((node, index) => ({ from: (nodes[index] as NodeDefinition).id, to: node.id })),
  ...rest,
});

/** The state in which the first node has answered and the second waits. */
function waiting(definition: WorkflowDefinition): RunState {
  const compiled = compileDefinition(definition);
  let state = evolve(compiled, initialState(compiled), { type: 'run.started', at: 1, input: {} });
  const first = nodeId((definition.nodes[0] as NodeDefinition).id);
  state = evolve(compiled, state, { type: 'node.scheduled', at: 2, nodeId: first, iteration: '1' });
  state = evolve(compiled, state, { type: 'node.completed', at: 3, nodeId: first, iteration: '1', output: { n: 1 } });
  return state;
}
const answer = (id: string) =>
  ({
    type: 'approval.decided',
    at: 9,
    nodeId: nodeId(id),
    iteration: null,
    decision: 'APPROVED',
    comment: null,
    data: null,
    decidedBy: null,
  }) as const;

describe('migrating a run to another version', () => {
  const before = chain([call('fetch'), wait('ask'), value('sum', 'nodes.fetch.output.n + 1')], {
    output: 'nodes.sum.output',
  });
  const from = compileDefinition(before);
  const state = waiting(before);

  it('keeps what is settled and waits, and decides the rest by the new graph', () => {
    const after = chain(
      [call('fetch'), wait('ask'), value('sum', 'nodes.fetch.output.n + 10'), value('more', 'nodes.sum.output * 2')],
      {
        output: 'nodes.more.output',
      },
    );
    const to = compileDefinition(after);
    const moved = migrated(migrateState(from, to, state));
    expect(moved.nodes.map((node) => node.status)).toEqual(['COMPLETED', 'WAITING', 'PENDING', 'PENDING']);
    const done = evolve(to, moved, answer('ask'));
    expect(decide(to, done)).toEqual([{ type: 'completeRun', output: 22 }]);
  });

  it('runs a node that was put before what is done, and does nothing twice', () => {
    const to = compileDefinition({
      ...before,
      nodes: [call('extra'), ...before.nodes],
      edges: [{ from: 'extra', to: 'fetch' }, ...before.edges],
    });
    const moved = migrated(migrateState(from, to, state));
    expect(decide(to, moved)).toEqual([{ type: 'scheduleActivity', nodeId: 'extra', iteration: '1' }]);
    let next = evolve(to, moved, { type: 'node.scheduled', at: 5, nodeId: nodeId('extra'), iteration: '1' });
    next = evolve(to, next, { type: 'node.completed', at: 6, nodeId: nodeId('extra'), iteration: '1', output: null });
    expect(next.nodes.map((node) => node.status)).toEqual(['COMPLETED', 'COMPLETED', 'WAITING', 'PENDING']);
    expect(decide(to, evolve(to, next, answer('ask')))).toEqual([{ type: 'completeRun', output: 2 }]);
  });

  it('says which results would be lost, and which nodes may be meant', () => {
    const to = compileDefinition(chain([call('get'), wait('ask'), value('sum', 'nodes.get.output.n + 1')]));
    expect(migrateState(from, to, state)).toMatchObject([
      { code: 'RESULT_VANISHED', nodeId: 'fetch', suggestions: ['get'] },
    ]);
    const moved = migrated(migrateState(from, to, state, { fetch: 'get' }));
    expect(moved.nodes[0]).toMatchObject({ id: 'get', status: 'COMPLETED', output: { n: 1 } });
    const letGo = migrated(migrateState(from, to, state, { fetch: null }));
    expect(decide(to, letGo)).toEqual([{ type: 'scheduleActivity', nodeId: 'get', iteration: '1' }]);
  });

  it('refuses to lose what is under way, even when told to', () => {
    const to = compileDefinition(chain([call('fetch'), value('sum', 'nodes.fetch.output.n + 1')]));
    for (const mapping of [{}, { ask: null }]) {
      expect(migrateState(from, to, state, mapping)).toMatchObject([{ code: 'IN_FLIGHT_VANISHED', nodeId: 'ask' }]);
    }
  });

  it('refuses other types, other bodies and ports that are gone', () => {
    const typed = compileDefinition(chain([{ ...call('fetch'), type: 'emit', config: { event: 'x' } }, wait('ask')]));
    expect(migrateState(from, typed, state)).toMatchObject([{ code: 'TYPE_CHANGED', nodeId: 'fetch' }]);
    const inside = compileDefinition({
      name: 'w',
      nodes: [{ id: 'box', type: 'try' }, { ...call('fetch'), parent: 'box' }, wait('ask')],
      edges: [],
    });
    expect(migrateState(from, inside, state)).toMatchObject([{ code: 'PARENT_CHANGED', nodeId: 'fetch' }]);
    const choose = (port: string): WorkflowDefinition => ({
      name: 'w',
      nodes: [{ id: 'choose', type: 'switch', config: { cases: [{ port, when: 'true' }] } }, wait('ask')],
      edges: [{ from: 'choose', port, to: 'ask' }],
    });
    const left = compileDefinition(choose('a'));
    const started = evolve(left, initialState(left), { type: 'run.started', at: 1, input: {} });
    expect(migrateState(left, compileDefinition(choose('b')), started)).toMatchObject([
      { code: 'PORT_VANISHED', nodeId: 'choose' },
    ]);
  });

  it('refuses a mapping that cannot be, and runs that are closed or about to end', () => {
    expect(migrateState(from, from, state, { nobody: 'ask', fetch: 'nowhere', sum: 'ask', ask: 'ask' })).toMatchObject([
      { code: 'MAPPING_INVALID', message: expect.stringContaining('no node nobody') },
      { code: 'MAPPING_INVALID', message: expect.stringContaining('no node nowhere') },
      { code: 'MAPPING_INVALID', message: expect.stringContaining('more than one node becomes ask') },
      { code: 'MAPPING_INVALID', message: expect.stringContaining('more than one') },
    ]);
    const cancelled = evolve(from, state, { type: 'run.cancel_requested', at: 5, reason: null });
    expect(migrateState(from, from, cancelled)).toMatchObject([{ code: 'RUN_CLOSED' }]);
  });

  it('brings variables along and adds those that are new with their first values', () => {
    const set: NodeDefinition = { id: 'note', type: 'set', config: { values: { seen: '7' } } };
    const old = compileDefinition(chain([set, wait('ask')], { variables: { seen: 0, gone: 1 } }));
    const started = evolve(old, initialState(old), { type: 'run.started', at: 1, input: {} });
    const to = compileDefinition(
      chain([set, wait('ask'), value('sum', 'vars.seen + vars.added')], {
        variables: { seen: 0, added: 30 },
        output: 'nodes.sum.output',
      }),
    );
    const moved = migrated(migrateState(old, to, started));
    expect(decide(to, evolve(to, moved, answer('ask')))).toEqual([{ type: 'completeRun', output: 37 }]);
  });
});

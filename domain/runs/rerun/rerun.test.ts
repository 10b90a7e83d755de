import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RANDOM_INPUT, type RandomRun, randomRun } from '../../../tests/random-definition.ts';
import { runId } from '../../identifiers.ts';
import type { Json } from '../../json.ts';
import { type CompiledDefinition, compileDefinition } from '../compile.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../definition.ts';
import { executionsOf, initialState, type NodeState, type RunState } from '../run-state.ts';
import { type SimulatedRun, simulate, type Simulation } from '../simulate.ts';
import { evolve } from '../evolve.ts';
import { validateDefinition } from '../validate.ts';
import { buildSeed, type Patches } from './build-seed.ts';
import type { EarlierRun } from './earlier-run.ts';
import { planRerun } from './plan-rerun.ts';

const START = Date.UTC(2026, 0, 1);

function play(
  compiled: CompiledDefinition,
  outcomeOf: RandomRun['outcomeOf'],
  more: Partial<Simulation> = {},
): SimulatedRun & { calls: string[] } {
  const calls: string[] = [];
  const run = simulate(compiled, {
    input: RANDOM_INPUT,
    startAt: START,
    results: (id, _, iteration) => {
      calls.push(`${id}#${iteration}`);
      return outcomeOf(id);
    },
    ...more,
  });
  return { ...run, calls };
}

function earlierRun(compiled: CompiledDefinition, { state, dropped }: SimulatedRun, input: Json = RANDOM_INPUT) {
  const nodes = [...dropped, ...executionsOf(state)];
  const executions = nodes.map((node) => ({
    ...node,
    runId: runId('first'),
    nodeId: node.id,
    port: 'port' in node ? node.port : null,
    handled: 'handled' in node && node.handled,
    startedAt: node.startedAt === null ? null : new Date(node.startedAt),
    closedAt: node.closedAt === null ? null : new Date(node.closedAt),
    reusedFrom: null,
  }));
  const earlier: EarlierRun = {
    id: 'first',
    status: state.status,
    input,
    compiled,
    state,
    executions,
    implementations: {},
  };
  return earlier;
}

const outcome = ({ status, output, error, nodes }: RunState) =>
  JSON.parse(
    JSON.stringify({
      status,
      output,
      error,
      nodes: nodes.map((node) => [node.id, node.status, node.output, node.port, node.error]),
    }).replaceAll(/n\d+#[\d.]+/g, 'event'),
  ) as unknown;

const activity = (compiled: CompiledDefinition, call: string): boolean => {
  const node = compiled.nodes[compiled.indexOf.get(call.split('#')[0] ?? '') ?? -1];
  return node?.row.class === 'activity' || node?.row.class === 'child';
};

describe('a rerun of any run', () => {
  it('of which nothing has changed ends the same, and calls again only what has not completed', () => {
    fc.assert(
      fc.property(randomRun(), ({ definition, outcomeOf }) => {
        const compiled = compileDefinition(definition);
        const first = play(compiled, outcomeOf);
        const earlier = earlierRun(compiled, first);
        const seed = buildSeed(earlier, compiled, { named: null, patches: {} });
        const second = play(compiled, outcomeOf, { seed: JSON.parse(JSON.stringify(seed)) });
        expect(outcome(second.state)).toEqual(outcome(first.state));
        const undone = new Set(first.state.undos.map(({ id }) => id.replace('.undo', '')));
        const completed = new Set(
          [...first.dropped, ...first.state.nodes]
            .filter(({ id, status }) => status === 'COMPLETED' && !undone.has(id))
            .map(({ id, iteration }) => `${id}#${iteration}`),
        );
        const again = second.calls.filter((call) => activity(compiled, call) && completed.has(call));
        expect(again).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('from any nodes ends the same, and calls nothing that neither follows from them nor failed', () => {
    fc.assert(
      fc.property(randomRun(), fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (random, picks) => {
        const { definition, outcomeOf } = random;
        const compiled = compileDefinition(definition);
        const first = play(compiled, outcomeOf);
        const earlier = earlierRun(compiled, first);
        const named = picks.map((pick) => compiled.nodes[pick % compiled.nodes.length]?.id as string);
        const seed = buildSeed(earlier, compiled, { named, patches: {} });
        const second = play(compiled, outcomeOf, { seed });
        expect(outcome(second.state)).toEqual(outcome(first.state));
        for (const id of Object.keys(seed.fixed)) {
          expect(named).not.toContain(id);
          expect(second.calls).not.toContain(`${id}#1`);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('a fork of any run', () => {
  it('at any event ends as the run did', () => {
    fc.assert(
      fc.property(randomRun(), fc.nat(), ({ definition, outcomeOf }, at) => {
        const compiled = compileDefinition(definition);
        const first = play(compiled, outcomeOf);
        const events = first.events.slice(0, 1 + (at % (first.events.length - 1)));
        const state = events.reduce((before, event) => evolve(compiled, before, event), initialState(compiled));
        fc.pre(state.undos.every(({ status }) => status === 'PENDING') && !state.cancelRequested && !state.doomed);
        const forked = JSON.parse(JSON.stringify(state)) as RunState;
        const second = play(compiled, outcomeOf, { forked, startAt: START + 10_000 });
        expect(outcome(second.state)).toEqual(outcome(first.state));
        const settled = new Set(
          state.nodes.filter((node) => node.closedAt !== null).map((node: NodeState) => `${node.id}#1`),
        );
        expect(second.calls.filter((call) => settled.has(call))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

const http = (id: string, body: string, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'http',
  config: { url: 'http://shop.example/', method: 'POST', body },
  ...more,
});
const define = (nodes: NodeDefinition[], edges: EdgeDefinition[], more: Partial<WorkflowDefinition> = {}) => {
  const definition: WorkflowDefinition = { name: 'shop', nodes, edges, ...more };
  expect(validateDefinition(definition)).toEqual([]);
  return compileDefinition(definition);
};
const echo = (id: string) => ({ output: { body: `from ${id}`, usage: { inputTokens: 10, outputTokens: 1 } } });
const edge = (from: string, to: string, port?: string): EdgeDefinition => ({ from, to, ...(port ? { port } : {}) });

function rerun(
  before: CompiledDefinition,
  after: CompiledDefinition,
  {
    named = null,
    patches = {},
    status,
  }: { named?: string[] | null; patches?: Patches; status?: RunState['status'] } = {},
) {
  const first = play(before, echo);
  const earlier = earlierRun(before, first);
  const seed = buildSeed(status ? { ...earlier, status } : earlier, after, { named, patches });
  const second = play(after, (id) => ({ output: { body: `again ${id}` } }), {
    seed,
    input: patches.input ?? RANDOM_INPUT,
  });
  return { first, second, seed, plan: planRerun(earlier, after, { input: RANDOM_INPUT, seed }), earlier };
}

describe('reruns', () => {
  const chain = define(
    [http('one', 'input.n'), http('two', 'nodes.one.output.body'), http('three', 'input.name')],
    [edge('one', 'two'), edge('two', 'three')],
  );

  it('runs the node that was edited, and of what follows only what is asked something else', () => {
    const edited = define(
      [http('one', 'input.n + 1'), http('two', 'nodes.one.output.body'), http('three', 'input.name')],
      [edge('one', 'two'), edge('two', 'three')],
    );
    const { second, plan } = rerun(chain, edited);
    expect(second.calls).toEqual(['one#1', 'two#1']);
    expect(second.state.nodes.map(({ reused }) => reused)).toEqual([undefined, undefined, 'first']);
    expect(plan.executions.map(({ nodeId, action }) => [nodeId, action])).toEqual([
      ['one', 'RUNS'],
      ['two', 'DEPENDS'],
      ['three', 'DEPENDS'],
    ]);
  });

  it('keeps the upstream of a named node as it stands, whatever has become of its definition', () => {
    const edited = define(
      [http('one', 'input.n + 1'), http('two', 'nodes.one.output.body'), http('three', 'input.name')],
      [edge('one', 'two'), edge('two', 'three')],
    );
    const { second, plan } = rerun(chain, edited, { named: ['two'] });
    expect(second.calls).toEqual(['two#1', 'three#1']);
    expect(second.state.nodes[1]?.input).toMatchObject({ body: 'from one' });
    expect(plan.saved).toMatchObject({ executions: 1, inputTokens: 10, outputTokens: 1 });
    expect(plan.spent).toMatchObject({ executions: 2, inputTokens: 20 });
  });

  it('takes results and variables that were given by hand', () => {
    const flow = define([http('one', 'vars.tone'), http('two', 'nodes.one.output')], [edge('one', 'two')], {
      variables: { tone: 'mild' },
    });
    const given = rerun(flow, flow, { patches: { nodes: { one: { output: 'mine' } } } });
    expect(given.second.calls).toEqual(['two#1']);
    expect(given.second.state.nodes[1]?.input).toMatchObject({ body: 'mine' });
    const louder = rerun(flow, flow, { patches: { variables: { tone: 'loud' } } });
    expect(louder.second.state.nodes[0]?.input).toMatchObject({ body: 'loud' });
    expect(() => rerun(flow, flow, { patches: { variables: { pitch: 1 } } })).toThrow('no variable pitch');
    expect(() => rerun(flow, flow, { patches: { nodes: { nobody: { output: 1 } } } })).toThrow('no node nobody');
    expect(() => rerun(flow, flow, { named: ['nobody'] })).toThrow('no node nobody');
  });

  it('obeys a node that wants to be run each time, and one that never does', () => {
    const flow = (n: string) =>
      define(
        [http('clock', n, { reuse: 'never' }), http('setup', n, { reuse: 'always' }), http('same', 'input.n')],
        [],
      );
    expect(rerun(flow('1'), flow('2')).second.calls).toEqual(['clock#1']);
  });

  it('knows a node under a new name, and does not give one result to two nodes', () => {
    const renamed = define(
      [http('first', 'input.n'), http('two', 'nodes.first.output.body'), http('three', 'input.name')],
      [edge('first', 'two'), edge('two', 'three')],
    );
    expect(rerun(chain, renamed).second.calls).toEqual([]);
    const doubled = define(
      [
        http('one', 'input.n'),
        http('two', 'nodes.one.output.body'),
        http('three', 'input.name'),
        http('four', 'input.n'),
      ],
      [edge('one', 'two'), edge('two', 'three')],
    );
    expect(rerun(chain, doubled).second.calls).toEqual(['four#1']);
  });

  it('does not take what another version of the implementation has computed', () => {
    const first = play(chain, echo);
    const earlier = { ...earlierRun(chain, first), implementations: { http: 7 } };
    const seed = buildSeed(earlier, chain, { named: null, patches: {} });
    expect(play(chain, echo, { seed }).calls).toEqual(['one#1', 'two#1', 'three#1']);
  });

  it('asks a person again when what was seen before has changed, and only then', () => {
    const ask: NodeDefinition = { id: 'ask', type: 'approval', config: { title: 'Publish?' } };
    const flow = (n: string) => define([http('draft', n), ask], [edge('draft', 'ask')]);
    const decide = (id: string) => (id === 'ask' ? { decision: 'APPROVED' as const } : echo(id));
    const before = flow('1');
    const earlier = earlierRun(before, play(before, decide));
    const again = (after: CompiledDefinition) => {
      const seed = buildSeed(earlier, after, { named: null, patches: {} });
      return play(after, (id) => (id === 'ask' ? { decision: 'REJECTED' as const } : { output: 'other' }), { seed });
    };
    expect(again(flow('1')).state.nodes[1]).toMatchObject({ port: 'approved', reused: 'first' });
    expect(again(flow('2')).state.nodes[1]).toMatchObject({ port: 'rejected' });
  });
});

describe('containers', () => {
  const each = (items: string, body: string, more: NodeDefinition[] = []) =>
    define(
      [
        { id: 'all', type: 'map', config: { items } },
        http('fetch', 'item', { parent: 'all' }),
        http('rate', body, { parent: 'all' }),
        http('sum', 'size(nodes.all.output.results)'),
        ...more,
      ],
      [edge('fetch', 'rate'), edge('all', 'sum')],
    );
  const body = 'nodes.fetch.output.body + "!"';

  it('is taken over as a whole where it does not follow from what was named', () => {
    const flow = each('[1, 2, 3]', body);
    const { second } = rerun(flow, flow, { named: ['sum'] });
    expect(second.calls).toEqual(['sum#1']);
    expect(second.dropped).toEqual([]);
    expect(second.state.nodes[0]).toMatchObject({ reused: 'first', status: 'COMPLETED' });
  });

  it('is entered by the name of a node inside: the items keep what comes before it', () => {
    const flow = each('[1, 2, 3]', body);
    expect(rerun(flow, flow, { named: ['rate'] }).second.calls).toEqual(['rate#1', 'rate#2', 'rate#3', 'sum#1']);
    expect(rerun(flow, flow, { named: ['rate#2'] }).second.calls).toEqual(['rate#2', 'sum#1']);
    expect(rerun(flow, flow, { named: ['all'] }).second.calls).toHaveLength(7);
  });

  it('calls for new and changed items alone, wherever the others have moved to', () => {
    const { second } = rerun(each('[1, 2, 3]', body), each('[3, 9, 1]', body));
    expect(second.calls).toEqual(['fetch#2', 'rate#2']);
  });

  it('hands what is known on to child runs of a large map', () => {
    const list = (count: number) => JSON.stringify(Array.from({ length: count }, (_, index) => index));
    const { second } = rerun(each(list(120), 'item'), each(list(121), 'item'));
    expect(second.calls).toEqual(['fetch#121', 'rate#121', 'sum#1']);
    expect(second.state.status).toBe('COMPLETED');
  });

  it('takes over the variables that were written inside of it', () => {
    const flow = define(
      [
        { id: 'loop', type: 'loop', config: { maximumIterations: 2, onBound: 'route' } },
        { id: 'note', type: 'set', parent: 'loop', config: { values: { count: 'pass.index + 1' } } },
        http('after', 'vars.count'),
      ],
      [edge('loop', 'after', 'bound')],
      { variables: { count: 0 } },
    );
    const { second } = rerun(flow, flow, { named: ['after'] });
    expect(second.state.nodes[1]?.input).toMatchObject({ body: 2 });
  });
});

describe('undos', () => {
  const pay = http('pay', 'input.n', { undo: { type: 'http', config: { url: 'http://shop.example/refund' } } });
  const flow = define([pay, http('ship', 'input.name')], [edge('pay', 'ship')]);
  const failing = (id: string) => (id === 'ship' ? { error: { code: 'X', message: 'no', hint: null } } : echo(id));

  it('does again what was undone', () => {
    const earlier = earlierRun(flow, play(flow, failing));
    expect(earlier.state.undos[0]?.status).toBe('COMPLETED');
    for (const named of [null, ['ship']]) {
      const seed = buildSeed(earlier, flow, { named, patches: {} });
      expect(play(flow, echo, { seed }).calls).toEqual(['pay#1', 'ship#1']);
    }
  });

  it('stands by for what an earlier run has left behind, but not for what it has brought to its end', () => {
    const play2 = (status: RunState['status']) => {
      const first = play(flow, echo);
      const seed = buildSeed({ ...earlierRun(flow, first), status }, flow, { named: ['ship'], patches: {} });
      return play(flow, failing, { seed }).calls;
    };
    expect(play2('TERMINATED')).toEqual(['ship#1', 'pay.undo#1']);
    expect(play2('COMPLETED')).toEqual(['ship#1']);
  });
});

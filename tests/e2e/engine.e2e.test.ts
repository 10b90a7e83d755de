import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Json } from '../../domain/json.ts';
import type { EdgeDefinition, NodeDefinition, WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { RunView } from './graphql.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

let ledger: Ledger;
let stack: Stack;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host } });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
});

const transform = (id: string, value: string, parent?: string): NodeDefinition => ({
  id,
  type: 'transform',
  config: { value },
  ...(parent === undefined ? {} : { parent }),
});
const post = (id: string, path: string, more: Partial<NodeDefinition> = {}): NodeDefinition => ({
  id,
  type: 'http',
  config: { url: ledger.url(path), method: 'POST' },
  retry: { maximumAttempts: 1 },
  ...more,
});
const chain = (...ids: string[]): EdgeDefinition[] =>
  ids.slice(1).map((to, index) => ({ from: ids[index] as string, to }));

async function start(definition: WorkflowDefinition, input: object = {}): Promise<string> {
  return stack.graphql.execute(await stack.graphql.publish(definition), input);
}
const finish = async (definition: WorkflowDefinition, input: object = {}, timeoutMs = 60_000): Promise<RunView> =>
  stack.graphql.until(await start(definition, input), ['COMPLETED', 'FAILED', 'CANCELLED'], timeoutMs);

async function mutate(mutation: string, variables: object): Promise<void> {
  const types = Object.entries(variables).map(([name, value]) => `$${name}: ${typeOf(name, value as Json)}`);
  const names = Object.keys(variables).map((name) => `${name}: $${name}`);
  const { errors } = await stack.graphql.send(
    `mutation(${types.join(', ')}) { ${mutation}(${names.join(', ')}) { id status } }`,
    variables,
  );
  if (errors) throw new Error(JSON.stringify(errors));
}
const typeOf = (name: string, value: Json): string =>
  name === 'runId' || name === 'nodeId'
    ? 'ID!'
    : name === 'decision'
      ? 'ApprovalDecision!'
      : typeof value === 'string' && name !== 'value'
        ? name === 'name'
          ? 'String!'
          : 'String'
        : 'JSON';

describe('containers on Temporal', () => {
  it('map over a short list runs inside the run, results in order', async () => {
    const run = await finish(
      {
        name: 'short-map',
        nodes: [
          {
            id: 'each',
            type: 'map',
            config: { items: 'input.items', concurrency: 2, result: 'nodes.call.output.body.path' },
          },
          { id: 'call', type: 'http', parent: 'each', config: { url: `http://${ledger.host}/item/{{item}}` } },
        ],
        edges: [],
        output: { all: 'nodes.each.output.results' },
      },
      { items: ['a', 'b', 'c', 'd', 'e'] },
    );
    expect(run).toMatchObject({
      status: 'COMPLETED',
      output: { all: ['a', 'b', 'c', 'd', 'e'].map((one) => `/item/${one}`) },
    });
    expect(run.nodes.filter((node) => node.id === 'call').map((node) => node.path)).toEqual(['1', '2', '3', '4', '5']);
  }, 60_000);

  it('map over a long list runs as child runs, which belong to the run', async () => {
    const run = await finish(
      {
        name: 'long-map',
        nodes: [
          transform('base', '100'),
          {
            id: 'each',
            type: 'map',
            config: { items: 'input.items', concurrency: 20, onItemError: 'continue', result: 'nodes.double.output' },
          },
          transform('double', 'item == 7 ? item.nothing : nodes.base.output + item * 2 + index * 0', 'each'),
        ],
        edges: chain('base', 'each'),
        output: {
          last: 'nodes.each.output.results[129]',
          first: 'nodes.each.output.results[0]',
          failed: 'nodes.each.output.failed.map(f, f.index)',
        },
      },
      { items: Array.from({ length: 130 }, (_, index) => index) },
    );
    expect(run).toMatchObject({ status: 'COMPLETED', output: { last: 358, first: 100, failed: [7] } });
    const { data } = await stack.graphql.send<{
      run: {
        children: { totalCount: number; edges: { node: { id: string; status: string; parent: { nodeId: string } } }[] };
      };
    }>(
      'query($id: ID!) { run(id: $id) { children { totalCount edges { node { id status parent { nodeId path } } } } } }',
      { id: run.id },
    );
    expect(data.run.children.totalCount).toBe(3);
    expect(
      data.run.children.edges.every(({ node }) => node.status === 'COMPLETED' && node.parent.nodeId === 'each'),
    ).toBe(true);
  }, 90_000);

  it('loop carries its state, in the links of a chain that look like one run', async () => {
    const run = await finish({
      name: 'long-loop',
      nodes: [
        {
          id: 'again',
          type: 'loop',
          config: {
            maximumIterations: 100,
            while: 'pass.index < 40',
            state: '0',
            next: 'pass.state + nodes.step.output',
          },
        },
        { id: 'breath', type: 'delay', parent: 'again', config: { durationMs: 1 } },
        transform('step', 'pass.index', 'again'),
      ],
      edges: chain('breath', 'step'),
      output: { sum: 'nodes.again.output.state', passes: 'nodes.again.output.iterations' },
      policies: { continueAsNewAfterEvents: 20 },
    });
    expect(run).toMatchObject({ status: 'COMPLETED', output: { sum: 780, passes: 40 } });
    expect(run.nodes.filter((node) => node.id === 'step').map((node) => node.output)).toEqual(
      Array.from({ length: 40 }, (_, index) => index),
    );
    const { rows } = await stack.pool.query<{ links: string; most: string }>(
      'SELECT count(*) AS links, max(version) AS most FROM event_streams WHERE run_id = $1',
      [run.id],
    );
    expect(Number(rows[0]?.links)).toBeGreaterThan(5);
    expect(Number(rows[0]?.most)).toBeLessThan(60);
  }, 90_000);

  it('try leaves by error, and a node that routes or continues goes on', async () => {
    const run = await finish(
      {
        name: 'tries',
        nodes: [
          { id: 'attempt', type: 'try', config: {} },
          {
            id: 'broken',
            type: 'fail',
            parent: 'attempt',
            config: { code: 'ON_PURPOSE', message: 'No {{input.what}}' },
          },
          transform('caught', 'nodes.attempt.output.error.code'),
          {
            id: 'http',
            type: 'http',
            config: { url: 'http://127.0.0.1:1/' },
            retry: { maximumAttempts: 1 },
            onError: 'continue',
            fallback: '{"body": "none"}',
          },
          {
            id: 'other',
            type: 'http',
            config: { url: 'http://127.0.0.1:1/' },
            retry: { maximumAttempts: 1 },
            onError: 'route',
          },
          transform('routed', 'nodes.other.output.error.code'),
        ],
        edges: [
          { from: 'attempt', port: 'error', to: 'caught' },
          { from: 'other', port: 'error', to: 'routed' },
        ],
        output: { caught: 'nodes.caught.output', http: 'nodes.http.output.body', routed: 'nodes.routed.output' },
      },
      { what: 'luck' },
    );
    expect(run).toMatchObject({ status: 'COMPLETED', output: { caught: 'ON_PURPOSE', http: 'none' } });
    expect(run.output?.['routed']).toMatch(/^HTTP_/);
  }, 60_000);
});

describe('undos on Temporal', () => {
  const saga = (name: string, last: NodeDefinition): WorkflowDefinition => ({
    name,
    nodes: [
      post('book', `/${name}/book`, {
        undo: {
          type: 'http',
          config: { url: ledger.url(`/${name}/unbook`), method: 'POST', body: { was: 'nodes.book.output.body.path' } },
        },
      }),
      post('charge', `/${name}/charge`, {
        undo: { type: 'http', config: { url: ledger.url(`/${name}/refund`), method: 'POST' } },
      }),
      last,
    ],
    edges: chain('book', 'charge', last.id),
  });

  it('run in reverse order when the run fails', async () => {
    const run = await finish(
      saga('order', { id: 'ship', type: 'fail', config: { code: 'OUT_OF_STOCK', message: 'none left' } }),
    );
    expect(run).toMatchObject({ status: 'FAILED', error: { code: 'OUT_OF_STOCK', nodeId: 'ship' } });
    const calls = ledger.calls.map((call) => call.path).filter((path) => path.startsWith('/order/'));
    expect(calls).toEqual(['/order/book', '/order/charge', '/order/refund', '/order/unbook']);
    expect(run.nodes.find((node) => node.id === 'book.undo')).toMatchObject({ status: 'COMPLETED' });
  }, 60_000);

  it('run when the run is cancelled, and it is COMPENSATING meanwhile', async () => {
    const id = await start(saga('trip', { id: 'wait', type: 'delay', config: { durationMs: 600_000 } }));
    await stack.graphql.until(id, ['WAITING']);
    await mutate('cancelRun', { runId: id });
    await stack.graphql.until(id, ['CANCELLED']);
    const calls = ledger.calls.map((call) => call.path).filter((path) => path.startsWith('/trip/'));
    expect(calls).toEqual(['/trip/book', '/trip/charge', '/trip/refund', '/trip/unbook']);
  }, 60_000);
});

describe('waiting on Temporal', () => {
  it('an event wakes the wait that asks for its correlation, one that came before is kept', async () => {
    const id = await start(
      {
        name: 'waits',
        nodes: [
          { id: 'paid', type: 'wait', config: { event: 'paid', correlation: 'input.order' } },
          { id: 'packed', type: 'wait', config: { event: 'packed' } },
          { id: 'never', type: 'wait', config: { event: 'never', timeoutMs: 50, onTimeout: 'route' } },
        ],
        edges: [
          { from: 'paid', port: 'received', to: 'packed' },
          { from: 'packed', port: 'received', to: 'never' },
        ],
        output: { paid: 'nodes.paid.output.data', packed: 'nodes.packed.output.data', never: 'nodes.never.port' },
      },
      { order: 'o-1' },
    );
    await stack.graphql.until(id, ['WAITING']);
    const handle = stack.temporal.client.workflow.getHandle(id);
    await handle.signal('event', { id: 'e1', name: 'packed', correlation: null, data: 3 });
    await handle.signal('event', { id: 'e2', name: 'paid', correlation: 'o-2', data: 1 });
    await handle.signal('event', { id: 'e3', name: 'paid', correlation: 'o-1', data: 2 });
    const run = await stack.graphql.until(id, ['COMPLETED']);
    expect(run.output).toEqual({ paid: 2, packed: 3, never: 'timed_out' });
  }, 60_000);

  it('an approval closes at its quorum, refuses strangers, second answers and data that break its form', async () => {
    const id = await start({
      name: 'quorum',
      nodes: [
        {
          id: 'ask',
          type: 'approval',
          config: {
            title: 'Go?',
            assignees: '["ann", "bob", "cy"]',
            quorum: 2,
            form: { type: 'object', required: ['amount'], properties: { amount: { type: 'number' } } },
          },
        },
      ],
      edges: [],
      output: { by: 'nodes.ask.output.answers.map(a, a.decidedBy)' },
    });
    await stack.graphql.until(id, ['WAITING']);
    const answer = (decidedBy: string, data: Json = { amount: 1 }) =>
      mutate('approve', { runId: id, nodeId: 'ask', decision: 'APPROVED', decidedBy, data });
    await expect(answer('eve')).rejects.toThrow('NOT_ASSIGNEE');
    await expect(answer('ann', { amount: 'much' })).rejects.toThrow('INPUT_INVALID');
    await answer('ann');
    await expect(answer('ann')).rejects.toThrow('ALREADY_ANSWERED');
    await answer('bob');
    expect((await stack.graphql.until(id, ['COMPLETED'])).output).toEqual({ by: ['ann', 'bob'] });
  }, 60_000);
});

describe('operating a run on Temporal', () => {
  it('paused, nothing starts; a variable changed and a node skipped have effect; resumed, it goes on', async () => {
    const id = await start({
      name: 'operated',
      variables: { rate: 1 },
      nodes: [
        { id: 'hold', type: 'delay', config: { durationMs: 300 } },
        post('call', '/operated/call'),
        transform('after', 'vars.rate * 10'),
      ],
      edges: chain('hold', 'call', 'after'),
      output: { after: 'nodes.after.output', call: 'nodes.call.output' },
    });
    await mutate('pauseRun', { runId: id });
    await stack.graphql.until(id, ['PAUSED']);
    await sleep(600);
    expect(ledger.effects('/operated/call')).toBe(0);
    await mutate('setVariable', { runId: id, name: 'rate', value: 7 });
    await mutate('skipNode', { runId: id, nodeId: 'call', output: { made: 'up' } });
    await mutate('resumeRun', { runId: id });
    const run = await stack.graphql.until(id, ['COMPLETED']);
    expect(run.output).toEqual({ after: 70, call: { made: 'up' } });
    expect(ledger.effects('/operated/call')).toBe(0);
  }, 60_000);

  it('a failed node holds the run under the policy pause, until it is retried', async () => {
    const id = await start({
      name: 'retried',
      nodes: [post('call', '/hold/retried', { timeouts: { startToCloseMs: 1000 }, retry: { maximumAttempts: 1 } })],
      edges: [],
      output: { times: 'nodes.call.output.body.times' },
      policies: { onNodeFailure: 'pause' },
    });
    await stack.graphql.until(id, ['PAUSED']);
    await mutate('retryNode', { runId: id, nodeId: 'call' });
    expect((await stack.graphql.until(id, ['COMPLETED'])).output).toEqual({ times: 2 });
    expect(ledger.effects('/hold/retried')).toBe(1);
  }, 60_000);
});

describe('fused nodes on Temporal', () => {
  it('share one event, and each is seen with its output', async () => {
    const get = (id: string): NodeDefinition => ({
      id,
      type: 'http',
      config: { url: `http://${ledger.host}/fused/${id}`, timeoutMs: 5000 },
    });
    const run = await finish({
      name: 'fused',
      nodes: [get('a'), transform('between', 'nodes.a.output.body.path'), get('b'), get('c')],
      edges: chain('a', 'between', 'b', 'c'),
      output: { c: 'nodes.c.output.body.path', between: 'nodes.between.output' },
    });
    expect(run).toMatchObject({ status: 'COMPLETED', output: { c: '/fused/c', between: '/fused/a' } });
    const { rows } = await stack.pool.query<{ type: string }>(
      'SELECT type FROM events JOIN event_streams USING (stream_key) WHERE run_id = $1 ORDER BY events.version',
      [run.id],
    );
    expect(rows.map(({ type }) => type).filter((type) => !type.startsWith('workflow_task'))).toEqual([
      'run.started',
      'group.completed',
      'run.completed',
    ]);
    expect(run.nodes.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'a COMPLETED',
      'between COMPLETED',
      'b COMPLETED',
      'c COMPLETED',
    ]);
  }, 60_000);
});

describe('subworkflows on Temporal', () => {
  const child = (name: string, waitMs: number): WorkflowDefinition => ({
    name,
    input: { type: 'object', required: ['n'], properties: { n: { type: 'number' } } },
    nodes: [{ id: 'hold', type: 'delay', config: { durationMs: waitMs } }, transform('square', 'input.n * input.n')],
    edges: chain('hold', 'square'),
    output: 'nodes.square.output',
  });
  const parentOf = (name: string, workflow: string, more: Partial<WorkflowDefinition> = {}): WorkflowDefinition => ({
    name,
    nodes: [{ id: 'call', type: 'subworkflow', config: { workflow, input: { n: 'input.n' } } }],
    edges: [],
    output: 'nodes.call.output',
    ...more,
  });

  it('give their output to the node that started them', async () => {
    await stack.graphql.publish(child('square', 1));
    const run = await finish(parentOf('squares', 'square'), { n: 12 });
    expect(run).toMatchObject({ status: 'COMPLETED', output: 144 });
  }, 60_000);

  it('are waited for by later links of their parent', async () => {
    await stack.graphql.publish(child('slow-square', 2500));
    const busy: NodeDefinition[] = [
      { id: 'again', type: 'loop', config: { maximumIterations: 30 } },
      { id: 'breath', type: 'delay', parent: 'again', config: { durationMs: 20 } },
    ];
    const run = await finish(
      parentOf('busy-parent', 'slow-square', {
        nodes: [
          ...parentOf('busy-parent', 'slow-square').nodes,
          { ...(busy[0] as NodeDefinition), config: { maximumIterations: 30, onBound: 'route' } },
          busy[1] as NodeDefinition,
        ],
        policies: { continueAsNewAfterEvents: 20 },
      }),
      { n: 9 },
    );
    expect(run).toMatchObject({ status: 'COMPLETED', output: 81 });
    const { rows } = await stack.pool.query<{ links: string }>(
      'SELECT count(*) AS links FROM event_streams WHERE run_id = $1',
      [run.id],
    );
    expect(Number(rows[0]?.links)).toBeGreaterThan(3);
  }, 90_000);

  it('are cancelled with their parent, and when it is gone', async () => {
    await stack.graphql.publish(child('long-square', 600_000));
    const workflow = await stack.graphql.publish(parentOf('long-parent', 'long-square'));
    const [cancelled, terminated] = await Promise.all([
      stack.graphql.execute(workflow, { n: 1 }),
      stack.graphql.execute(workflow, { n: 2 }),
    ]);
    const children = [`${cancelled}:call:1`, `${terminated}:call:1`] as const;
    await Promise.all(children.map((id) => stack.graphql.until(id, ['WAITING'])));
    await mutate('cancelRun', { runId: cancelled });
    await mutate('terminateRun', { runId: terminated });
    await stack.graphql.until(cancelled, ['CANCELLED']);
    await stack.graphql.until(children[0], ['CANCELLED']);
    await stack.graphql.until(children[1], ['CANCELLED'], 60_000);
  }, 120_000);
});

describe('long runs on Temporal', () => {
  it('100,000 executions in a loop complete, and no history grows long', async () => {
    const run = await finish(
      {
        name: 'hundred-thousand',
        nodes: [
          {
            id: 'again',
            type: 'loop',
            config: { maximumIterations: 50_000, state: '0', next: 'pass.state + nodes.two.output', onBound: 'route' },
          },
          transform('one', '1', 'again'),
          transform('two', 'nodes.one.output + 1', 'again'),
        ],
        edges: chain('one', 'two'),
        output: 'nodes.again.output',
      },
      {},
      200_000,
    );
    expect({ ...run, nodes: [] }).toMatchObject({
      status: 'COMPLETED',
      output: { iterations: 50_000, state: 100_000 },
    });
    const { rows } = await stack.pool.query<{ most: string; nodes: string }>(
      `SELECT (SELECT max(version) FROM event_streams WHERE run_id = $1) AS most,
              (SELECT count(*) FROM node_executions WHERE run_id = $1) AS nodes`,
      [run.id],
    );
    expect(Number(rows[0]?.most)).toBeLessThan(2_500);
    expect(Number(rows[0]?.nodes)).toBe(100_001);
  }, 240_000);
});

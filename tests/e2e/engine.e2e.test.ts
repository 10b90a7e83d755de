import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NodeDefinition, WorkflowDefinition } from '../../domain/runs/definition.ts';
import { chain, type EngineSite, startEngineSite, transform } from './engine-site.ts';

let site: EngineSite;

beforeAll(async () => {
  site = await startEngineSite();
}, 120_000);
afterAll(() => site?.stop());

describe('containers on Temporal', () => {
  it('map over a short list runs inside the run, results in order', async () => {
    const run = await site.finish(
      {
        name: 'short-map',
        nodes: [
          {
            id: 'each',
            type: 'map',
            config: { items: 'input.items', concurrency: 2, result: 'nodes.call.output.body.path' },
          },
          { id: 'call', type: 'http', parent: 'each', config: { url: `http://${site.ledger.host}/item/{{item}}` } },
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
    const run = await site.finish(
      {
        name: 'long-map',
        nodes: [
          transform('base', '100'),
          {
            id: 'each',
            type: 'map',
            config: { items: 'input.items', concurrency: 20, onItemError: 'continue', result: 'nodes.double.output' },
          },
          // Without something that waits or calls the whole map would run inside the run.
          { id: 'pause', type: 'delay', parent: 'each', config: { durationMs: 1 } },
          transform('double', 'item == 7 ? item.nothing : nodes.base.output + item * 2 + index * 0', 'each'),
        ],
        edges: [...chain('base', 'each'), ...chain('pause', 'double')],
        output: {
          last: 'nodes.each.output.results[129]',
          first: 'nodes.each.output.results[0]',
          failed: 'nodes.each.output.failed.map(f, f.index)',
        },
      },
      { items: Array.from({ length: 130 }, (_, index) => index) },
    );
    expect(run).toMatchObject({ status: 'COMPLETED', output: { last: 358, first: 100, failed: [7] } });
    const { data } = await site.stack.graphql.send<{
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
    const run = await site.finish({
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
    const { rows } = await site.stack.pool.query<{ links: string; most: string }>(
      'SELECT count(*) AS links, max(version) AS most FROM event_streams WHERE run_id = $1',
      [run.id],
    );
    expect(Number(rows[0]?.links)).toBeGreaterThan(5);
    expect(Number(rows[0]?.most)).toBeLessThan(60);
  }, 90_000);

  it('try leaves by error, and a node that routes or continues goes on', async () => {
    const run = await site.finish(
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

describe('fused nodes on Temporal', () => {
  it('share one event, and each is seen with its output', async () => {
    const get = (id: string): NodeDefinition => ({
      id,
      type: 'http',
      config: { url: `http://${site.ledger.host}/fused/${id}`, timeoutMs: 5000 },
    });
    const run = await site.finish({
      name: 'fused',
      nodes: [get('a'), transform('between', 'nodes.a.output.body.path'), get('b'), get('c')],
      edges: chain('a', 'between', 'b', 'c'),
      output: { c: 'nodes.c.output.body.path', between: 'nodes.between.output' },
    });
    expect(run).toMatchObject({ status: 'COMPLETED', output: { c: '/fused/c', between: '/fused/a' } });
    const { rows } = await site.stack.pool.query<{ type: string }>(
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

describe('undos on Temporal', () => {
  const saga = (name: string, last: NodeDefinition): WorkflowDefinition => ({
    name,
    nodes: [
      site.post('book', `/${name}/book`, {
        undo: {
          type: 'http',
          config: {
            url: site.ledger.url(`/${name}/unbook`),
            method: 'POST',
            body: { was: 'nodes.book.output.body.path' },
          },
        },
      }),
      site.post('charge', `/${name}/charge`, {
        undo: { type: 'http', config: { url: site.ledger.url(`/${name}/refund`), method: 'POST' } },
      }),
      last,
    ],
    edges: chain('book', 'charge', last.id),
  });

  it('run in reverse order when the run fails', async () => {
    const run = await site.finish(
      saga('order', { id: 'ship', type: 'fail', config: { code: 'OUT_OF_STOCK', message: 'none left' } }),
    );
    expect(run).toMatchObject({ status: 'FAILED', error: { code: 'OUT_OF_STOCK', nodeId: 'ship' } });
    const calls = site.ledger.calls.map((call) => call.path).filter((path) => path.startsWith('/order/'));
    expect(calls).toEqual(['/order/book', '/order/charge', '/order/refund', '/order/unbook']);
    expect(run.nodes.find((node) => node.id === 'book.undo')).toMatchObject({ status: 'COMPLETED' });
  }, 60_000);

  it('run when the run is cancelled, and it is COMPENSATING meanwhile', async () => {
    const id = await site.start(saga('trip', { id: 'wait', type: 'delay', config: { durationMs: 600_000 } }));
    await site.stack.graphql.until(id, ['WAITING']);
    await site.mutate('cancelRun', { runId: id });
    await site.stack.graphql.until(id, ['CANCELLED']);
    const calls = site.ledger.calls.map((call) => call.path).filter((path) => path.startsWith('/trip/'));
    expect(calls).toEqual(['/trip/book', '/trip/charge', '/trip/refund', '/trip/unbook']);
  }, 60_000);
});

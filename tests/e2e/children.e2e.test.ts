import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NodeDefinition, WorkflowDefinition } from '../../domain/runs/definition.ts';
import { chain, type EngineSite, startEngineSite, transform } from './engine-site.ts';

let site: EngineSite;

beforeAll(async () => {
  site = await startEngineSite();
}, 120_000);
afterAll(() => site?.stop());

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
    await site.stack.graphql.publish(child('square', 1));
    const run = await site.finish(parentOf('squares', 'square'), { n: 12 });
    expect(run).toMatchObject({ status: 'COMPLETED', output: 144 });
  }, 60_000);

  it('are refused an input that breaks their schema, which the node fails with', async () => {
    await site.stack.graphql.publish(child('strict-square', 1));
    const definition = parentOf('strict-parent', 'strict-square');
    const run = await site.finish(definition, { n: 'twelve' });
    expect(run).toMatchObject({ status: 'FAILED', error: { code: 'INPUT_INVALID', nodeId: 'call' } });
  }, 60_000);

  it('are waited for by later links of their parent', async () => {
    await site.stack.graphql.publish(child('slow-square', 2500));
    const busy: NodeDefinition[] = [
      { id: 'again', type: 'loop', config: { maximumIterations: 30 } },
      { id: 'breath', type: 'delay', parent: 'again', config: { durationMs: 20 } },
    ];
    const run = await site.finish(
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
    const { rows } = await site.stack.pool.query<{ links: string }>(
      'SELECT count(*) AS links FROM event_streams WHERE run_id = $1',
      [run.id],
    );
    expect(Number(rows[0]?.links)).toBeGreaterThan(3);
  }, 90_000);

  it('are cancelled with their parent, and when it is gone', async () => {
    await site.stack.graphql.publish(child('long-square', 600_000));
    const workflow = await site.stack.graphql.publish(parentOf('long-parent', 'long-square'));
    const [cancelled, terminated] = await Promise.all([
      site.stack.graphql.execute(workflow, { n: 1 }),
      site.stack.graphql.execute(workflow, { n: 2 }),
    ]);
    const children = [`${cancelled}:call:1`, `${terminated}:call:1`] as const;
    await Promise.all(children.map((id) => site.stack.graphql.until(id, ['WAITING'])));
    await site.mutate('cancelRun', { runId: cancelled });
    await site.mutate('terminateRun', { runId: terminated });
    await site.stack.graphql.until(cancelled, ['CANCELLED']);
    await site.stack.graphql.until(children[0], ['CANCELLED']);
    await site.stack.graphql.until(children[1], ['CANCELLED'], 60_000);
  }, 120_000);
});

describe('long runs on Temporal', () => {
  it('100,000 executions in a loop complete, and no history grows long', async () => {
    const run = await site.finish(
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
    const { rows } = await site.stack.pool.query<{ most: string; nodes: string }>(
      `SELECT (SELECT max(version) FROM event_streams WHERE run_id = $1) AS most,
              (SELECT count(*) FROM node_executions WHERE run_id = $1) AS nodes`,
      [run.id],
    );
    expect(Number(rows[0]?.most)).toBeLessThan(2_500);
    expect(Number(rows[0]?.nodes)).toBe(100_001);
  }, 240_000);
});

describe('a long map whose worker and projector are killed again and again', () => {
  it('calls for each item once, and loses none', async () => {
    const id = await site.start(
      {
        name: 'killed-map',
        nodes: [
          {
            id: 'each',
            type: 'map',
            config: { items: 'input.items', concurrency: 10, chunkSize: 20, result: 'nodes.call.output.body.path' },
          },
          {
            ...site.post('call', '/killed'),
            parent: 'each',
            config: { url: `http://${site.ledger.host}/killed/{{item}}`, method: 'POST' },
            retry: { maximumAttempts: 50, initialIntervalMs: 100, maximumIntervalMs: 500 },
            timeouts: { startToCloseMs: 5000, heartbeatMs: 2000 },
          },
        ],
        edges: [],
        output: 'nodes.each.output.results.size()',
        policies: { continueAsNewAfterEvents: 20 },
      },
      { items: Array.from({ length: 150 }, (_, index) => index) },
    );
    for (const service of ['worker', 'projector', 'worker'] as const) {
      await sleep(700);
      await site.stack.processes[service].kill();
      await site.stack.start(service);
    }
    const run = await site.stack.graphql.until(id, ['COMPLETED'], 120_000);
    expect(run.output).toBe(150);
    const effects = Array.from({ length: 150 }, (_, index) => site.ledger.effects(`/killed/${index}`));
    expect(effects.every((count) => count === 1)).toBe(true);
  }, 180_000);
});

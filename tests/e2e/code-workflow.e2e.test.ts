import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rebuildProjections } from '../../adapters/postgres/rebuild-projections.ts';
import { expectDensePositions, expectEveryEventOnce } from './audit.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ env: { WEFT_CODE_DIR: join(import.meta.dirname, '../../samples/code') } });
  await stack.graphql.publish({
    name: 'drawn',
    nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }],
    edges: [],
    output: 'nodes.one.output',
  });
}, 120_000);

afterAll(() => stack?.stop());

const RUN = `query($id: ID!) { run(id: $id) {
  status output startedAt closedAt error { code message } workflow { id kind version } stateAt(eventId: 1000) warnings { code }
  events(first: 100) { id type } nodes { id type status iteration attempts output startedAt closedAt error { code } }
} }`;

const read = async (id: string) => (await stack.graphql.send<{ run: any }>(RUN, { id })).data.run;

describe('a workflow written by hand', () => {
  it('is listed beside the others, with its kind', async () => {
    const { data } = await stack.graphql.send<{ workflows: { edges: { node: object }[] } }>(
      '{ workflows { edges { node { id kind version } } } }',
    );
    expect(data.workflows.edges.map(({ node }) => node)).toEqual([
      { id: 'drawn', kind: 'DEFINITION', version: 1 },
      { id: 'greet-everyone', kind: 'CODE', version: 1 },
    ]);
  });

  it('is started like them, and its run has status, output, events, and its activities as nodes', async () => {
    const id = await stack.graphql.execute('greet-everyone', { names: ['Ada', 'Grace'] }, 'greet-1');
    expect(await stack.graphql.execute('greet-everyone', { names: ['Ada', 'Grace'] }, 'greet-1')).toBe(id);
    await stack.graphql.until(id, ['COMPLETED', 'FAILED']);
    const run = await read(id);
    expect(run).toMatchObject({
      status: 'COMPLETED',
      output: { greetings: ['Hello, Ada!', 'Hello, Grace!'], letters: 24 },
      workflow: { id: 'greet-everyone', kind: 'CODE', version: 1 },
      stateAt: { status: 'COMPLETED' },
      warnings: [],
    });
    expect(Date.parse(run.closedAt)).toBeGreaterThan(Date.parse(run.startedAt));
    expect(
      run.nodes.map(({ id: node, iteration, status, attempts }: any) => [node, iteration, status, attempts]),
    ).toEqual([
      ['greet', 1, 'COMPLETED', 1],
      ['greet', 2, 'COMPLETED', 1],
      ['count', 1, 'COMPLETED', 1],
    ]);
    for (const node of run.nodes) expect(Date.parse(node.closedAt)).toBeGreaterThanOrEqual(Date.parse(node.startedAt));
    expect(run.nodes[2].output).toBe(24);
    const types = run.events.map(({ type }: any) => type);
    expect(types[0]).toBe('run.started');
    expect(types.at(-1)).toBe('run.completed');
    expect(types.filter((type: string) => type === 'activity.scheduled')).toHaveLength(3);
    const { data } = await stack.graphql.send<{ runs: { totalCount: number } }>(
      '{ runs(workflowId: "greet-everyone") { totalCount } }',
    );
    expect(data.runs.totalCount).toBe(1);
    await expectEveryEventOnce(stack, id);
  }, 60_000);

  it('fails with what its activity says, after its own retries', async () => {
    const id = await stack.graphql.execute('greet-everyone', { names: [' '] });
    await stack.graphql.until(id, ['FAILED', 'COMPLETED']);
    const run = await read(id);
    expect(run).toMatchObject({ status: 'FAILED', nodes: [{ id: 'greet', status: 'FAILED', attempts: 3 }] });
    expect(run.error.message).toBeTruthy();
  }, 60_000);

  it('survives the death of its worker, and can be terminated', async () => {
    const id = await stack.graphql.execute('greet-everyone', { names: ['Alan'] });
    await stack.processes.worker.kill();
    await sleep(200);
    await stack.start('worker');
    expect(await stack.graphql.until(id, ['COMPLETED', 'FAILED'])).toMatchObject({ status: 'COMPLETED' });
    await stack.processes.worker.stop();
    const stopped = await stack.graphql.execute('greet-everyone', { names: ['Alan'] });
    await stack.graphql.send('mutation($id: ID!) { terminateRun(runId: $id) { id } }', { id: stopped });
    expect(await stack.graphql.until(stopped, ['TERMINATED'])).toMatchObject({ status: 'TERMINATED', nodes: [] });
    await stack.start('worker');
  }, 90_000);

  it('keeps its runs when the read models are made again, and no definition may take its name', async () => {
    const before = (await stack.pool.query('SELECT id, status, output::text FROM runs ORDER BY id')).rows;
    await rebuildProjections(stack.pool);
    expect((await stack.pool.query('SELECT id, status, output::text FROM runs ORDER BY id')).rows).toEqual(before);
    await expectDensePositions(stack);
    const definition = {
      name: 'greet-everyone',
      nodes: [{ id: 'one', type: 'transform', config: { value: '1' } }],
      edges: [],
    };
    await expect(stack.graphql.publish(definition)).rejects.toThrow(/DEFINITION_INVALID/);
    const child = { id: 'child', type: 'subworkflow', config: { workflow: 'greet-everyone', input: 'input' } };
    await expect(stack.graphql.publish({ name: 'parent', nodes: [child], edges: [] })).rejects.toThrow(
      /greet-everyone/,
    );
  }, 60_000);
});

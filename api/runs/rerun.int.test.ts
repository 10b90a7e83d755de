import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openReruns, type Reruns } from '../../tests/reruns.ts';

describe('reruns', () => {
  let all: Reruns;
  beforeAll(async () => {
    all = await openReruns();
  }, 120_000);
  beforeEach(() => all.reset());
  afterAll(() => all?.close());

  it('runs a failed node again with what was before it taken over, and says so everywhere', async () => {
    const { doors, shop, query, call, publish, chain, start, closed, plan, rerun, actions } = all;
    await publish(
      chain('order', [call('price', 'input.n'), call('pay', 'nodes.price.output.body.call'), call('ship')], {
        output: 'nodes.ship.output.body.name',
      }),
    );
    shop.failing.add('pay');
    const first = await start('order');
    expect(await closed(first)).toMatchObject({ status: 'FAILED', error: { nodeId: 'pay' } });
    shop.failing.clear();
    shop.calls.length = 0;

    const planned = await plan(first, ['pay']);
    expect(actions(planned)).toEqual(['price REUSED', 'pay RUNS', 'ship UNKNOWN']);
    expect(planned.saved.executions).toBe(1);
    expect(planned.repeats).toEqual([]);
    expect(shop.calls).toEqual([]);

    const second = await rerun(first, ['pay']);
    const done = await closed(second);
    expect(done).toMatchObject({
      status: 'COMPLETED',
      output: 'ship',
      rerunOf: { runId: first, kind: 'RERUN', nodeIds: ['pay'], run: { id: first } },
    });
    expect(shop.calls).toEqual([expect.stringMatching(/^pay \d+$/), 'ship']);
    expect(done.nodes[0]).toMatchObject({
      id: 'price',
      status: 'COMPLETED',
      reusedFrom: first,
      attempts: 0,
      output: { body: { name: 'price' } },
    });
    expect(done.nodes[1].reusedFrom).toBeNull();
    expect(done.events.filter(({ nodeId }: any) => nodeId === 'price')).toEqual([]);
    const { memo } = await doors.temporal.workflow.getHandle(second).describe();
    expect(memo).toMatchObject({ rerunOf: first });
    const { reruns } = (
      await query('query ($id: ID!) { run(id: $id) { reruns { edges { node { id } } } } }', { id: first })
    ).run;
    expect(reruns.edges).toEqual([{ node: { id: second } }]);

    const repeated = await plan(second, ['pay']);
    expect(repeated.repeats).toEqual([{ nodeId: 'pay', state: 'RECEIPT' }]);
    expect(repeated.executions[0]).toMatchObject({ nodeId: 'price', reusedFrom: first });
  }, 60_000);

  it('calls after an edit only what the edit reaches', async () => {
    const { shop, call, publish, start, closed, plan, rerun, actions } = all;
    const nodes = (price: string) => [
      call('price', price),
      call('stock', 'input.n'),
      { id: 'join', type: 'merge' },
      call('pay', 'nodes.price.output.body.name'),
      call('mail', 'string(nodes.price.output.body.call)'),
    ];
    const flow = (price: string) => ({
      name: 'edited',
      nodes: nodes(price),
      edges: [
        { from: 'price', to: 'join' },
        { from: 'stock', to: 'join' },
        { from: 'join', to: 'pay' },
        { from: 'join', to: 'mail' },
      ],
    });
    await publish(flow('1'));
    const first = await start('edited');
    await closed(first);
    expect(shop.calls).toHaveLength(4);
    shop.calls.length = 0;

    await closed(await rerun(first));
    expect(shop.calls).toEqual([]);

    await publish(flow('2'));
    const planned = await plan(first);
    expect(planned.version).toBe(2);
    expect(actions(planned).toSorted()).toEqual(['mail DEPENDS', 'pay DEPENDS', 'price RUNS', 'stock REUSED']);
    const second = await closed(await rerun(first));
    // What the price says of itself is the same, so that nobody pays again; the mail has its number.
    expect(shop.calls).toEqual(['price 2', expect.stringMatching(/^mail \d+$/)]);
    expect(second.nodes.map(({ id, reusedFrom }: any) => [id, reusedFrom])).toEqual([
      ['price', null],
      ['stock', first],
      ['join', null],
      ['pay', first],
      ['mail', null],
    ]);
  }, 60_000);

  it('takes up terminated and cancelled runs, from what is stored here when Temporal has forgotten them', async () => {
    const { doors, shop, query, call, publish, start, until, closed, rerun } = all;
    const ask = { id: 'ask', type: 'approval', config: { title: 'Ship?' } };
    await publish({
      name: 'forgotten',
      nodes: [call('price', 'input.n'), ask, call('ship')],
      edges: [
        { from: 'price', to: 'ask' },
        { from: 'ask', to: 'ship', port: 'approved' },
      ],
    });
    const first = await start('forgotten');
    await until(first, ({ status }) => status === 'WAITING');
    await query('mutation ($id: ID!) { terminateRun(runId: $id) { id } }', { id: first });
    await closed(first);
    const { client, namespace } = { client: doors.temporal, namespace: doors.settings.TEMPORAL_NAMESPACE };
    await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId: first } });
    for (let gone = false; !gone;) {
      gone = await client.workflow
        .getHandle(first)
        .describe()
        .then(
          () => false,
          () => true,
        );
      if (!gone) await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const second = await rerun(first, ['ask']);
    await until(second, ({ status }) => status === 'WAITING');
    await query('mutation ($id: ID!) { approve(runId: $id, nodeId: "ask", decision: APPROVED) { id } }', {
      id: second,
    });
    expect(await closed(second)).toMatchObject({ status: 'COMPLETED' });
    expect(shop.calls).toEqual(['price 1', 'ship']);

    // The answer is taken over as long as what it was given for is the same.
    const third = await closed(await rerun(second));
    expect(third).toMatchObject({ status: 'COMPLETED' });
    expect(third.nodes[1]).toMatchObject({ id: 'ask', reusedFrom: second, port: 'approved' });
    expect(third.nodes[0]).toMatchObject({ id: 'price', reusedFrom: first });
    expect(shop.calls).toHaveLength(2);
  }, 60_000);

  it('gives large results by reference, and seeds items of a map in its child runs', async () => {
    const { doors, shop, call, publish, start, closed, rerun } = all;
    const flow = (count: number) => ({
      name: 'large',
      nodes: [
        { id: 'all', type: 'map', config: { items: `input.items.filter(n, n < ${count})`, chunkSize: 20 } },
        call('item', 'item', { parent: 'all' }),
        call('sum', 'size(nodes.all.output.results)'),
      ],
      edges: [{ from: 'all', to: 'sum' }],
    });
    await publish(flow(60));
    const first = await start('large', { items: Array.from({ length: 70 }, (_, index) => index) });
    expect(await closed(first)).toMatchObject({ status: 'COMPLETED' });
    expect(shop.calls).toHaveLength(61);
    shop.calls.length = 0;
    await publish(flow(62));
    const second = await closed(await rerun(first));
    expect(second.status).toBe('COMPLETED');
    expect(shop.calls.toSorted()).toEqual(['item 60', 'item 61', 'sum 62']);
    shop.calls.length = 0;
    const third = await rerun(second.id, ['sum']);
    const done = await closed(third);
    expect(shop.calls).toEqual(['sum 62']);
    expect(done.nodes[0]).toMatchObject({ id: 'all', reusedFrom: second.id });
    const history = await doors.temporal.workflow.getHandle(third).fetchHistory();
    const bytes = JSON.stringify(history.events?.[0]?.workflowExecutionStartedEventAttributes?.input).length;
    expect(bytes).toBeLessThan(10_000);
  }, 90_000);

  it('takes what is given by hand, gives the same run for the same key, and refuses what makes no sense', async () => {
    const { shop, call, publish, chain, start, closed, plan, rerun } = all;
    // Admitted runs are started by a dispatcher, which has to find what they begin with.
    const policies = { concurrency: [{ limit: 1 }] };
    await publish(
      chain('patched', [call('price', 'input.n'), call('pay', 'nodes.price.output.body.call')], { policies }),
    );
    const first = await start('patched');
    await closed(first);
    shop.calls.length = 0;
    const patches = { nodes: { price: { output: { body: { call: 99 } } } } };
    const second = await rerun(first, ['pay'], { p: patches, k: 'once' });
    await closed(second);
    expect(await rerun(first, ['pay'], { p: patches, k: 'once' })).toBe(second);
    expect(shop.calls).toEqual(['pay 99']);
    await expect(plan(first, ['nobody'])).rejects.toMatchObject({ extensions: { code: 'INPUT_INVALID' } });
    await expect(plan(first, null, { p: { output: 1 } })).rejects.toMatchObject({
      extensions: { code: 'INPUT_INVALID' },
    });
    await expect(plan('nothing')).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  }, 60_000);

  it('starts a run that asks again only for what the last one has not asked for', async () => {
    const { shop, query, call, publish, closed, read } = all;
    await publish({ name: 'reusing', nodes: [call('same', '1'), call('other', 'input.n')], edges: [] });
    const begin = async (more: object) => {
      const { executeWorkflow } = await query(
        `mutation ($i: JSON, $f: ID, $u: Boolean) {
           executeWorkflow(workflowId: "reusing", input: $i, reuseFrom: $f, reuse: $u) { id } }`,
        more as Record<string, unknown>,
      );
      return closed(executeWorkflow.id);
    };
    const first = await begin({ i: { n: 1 }, u: true });
    expect(first.rerunOf).toBeNull();
    expect(shop.calls.toSorted()).toEqual(['other 1', 'same 1']);
    shop.calls.length = 0;
    const second = await begin({ i: { n: 2 }, u: true });
    expect(second.rerunOf).toMatchObject({ runId: first.id, kind: 'REUSE' });
    const third = await begin({ i: { n: 1 }, f: first.id });
    expect(shop.calls).toEqual(['other 2']);
    expect((await read(third.id)).nodes.map(({ reusedFrom }: any) => reusedFrom)).toEqual([first.id, first.id]);
    await expect(begin({ f: 'nobody' })).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  }, 60_000);
});

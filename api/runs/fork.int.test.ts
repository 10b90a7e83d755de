import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rebuildProjections } from '../../adapters/postgres/rebuild-projections.ts';
import { openReruns, type Reruns } from '../../tests/reruns.ts';

describe('forks', () => {
  let all: Reruns;
  beforeAll(async () => {
    all = await openReruns();
  }, 120_000);
  beforeEach(() => all.reset());
  afterAll(() => all?.close());

  const ask = { id: 'ask', type: 'approval', config: { title: 'Ship?' } };
  const approve = (id: string) =>
    all.query('mutation ($id: ID!) { approve(runId: $id, nodeId: "ask", decision: APPROVED) { id } }', { id });
  const eventOf = async (id: string, type: string, nodeId: string | null = null): Promise<number> => {
    const { run } = await all.query('query ($id: ID!) { run(id: $id) { events(first: 1000) { id type nodeId } } }', {
      id,
    });
    return run.events.find((event: any) => event.type === type && (nodeId === null || event.nodeId === nodeId)).id;
  };
  const flow = (name: string, more: object = {}) => ({
    name,
    variables: { tone: 'mild' },
    nodes: [
      all.call('draft', 'vars.tone'),
      ask,
      all.call('ship', 'vars.tone + string(nodes.draft.output.body.call)'),
      all.call('bill', 'input.n'),
    ],
    edges: [
      { from: 'draft', to: 'ask' },
      { from: 'ask', to: 'ship', port: 'approved' },
      { from: 'ship', to: 'bill' },
    ],
    ...more,
  });

  it('goes on from any event with other variables, and leaves the run as it was', async () => {
    const { shop, publish, start, until, closed, fork, read, query } = all;
    await publish(flow('forked'));
    const first = await start('forked');
    await until(first, ({ status }) => status === 'WAITING');
    await approve(first);
    const before = await closed(first);
    expect(shop.calls).toEqual(['draft mild', expect.stringMatching(/^ship mild/), 'bill 1']);
    all.reset();

    const at = await eventOf(first, 'node.completed', 'draft');
    const planned = await query(
      `query ($r: ID!, $e: Int!) { planFork(runId: $r, eventId: $e) { version executions { nodeId action } repeats { nodeId } } }`,
      { r: first, e: at },
    );
    expect(planned.planFork).toEqual({
      version: 1,
      executions: [
        { nodeId: 'draft', action: 'REUSED' },
        { nodeId: 'ask', action: 'RUNS' },
        { nodeId: 'ship', action: 'RUNS' },
        { nodeId: 'bill', action: 'RUNS' },
      ],
      repeats: [{ nodeId: 'ship' }, { nodeId: 'bill' }],
    });
    const second = await fork(first, at, { p: { variables: { tone: 'dry' }, input: { n: 7 } } });
    const waiting = await until(second, ({ status }) => status === 'WAITING');
    expect(waiting).toMatchObject({ rerunOf: { runId: first, kind: 'FORK', eventId: at } });
    expect(waiting.nodes[0]).toMatchObject({ status: 'COMPLETED', reusedFrom: first });
    await approve(second);
    const done = await closed(second);
    expect(done).toMatchObject({ status: 'COMPLETED' });
    expect(shop.calls).toEqual([expect.stringMatching(/^ship dry\d+$/), 'bill 7']);
    expect(await read(first)).toEqual(before);
    const state = await query('query ($id: ID!) { run(id: $id) { stateAt(eventId: 100000) } }', { id: second });
    expect(state.run.stateAt.nodes.draft).toMatchObject({ status: 'COMPLETED', reused: first });
    await rebuildProjections(all.doors.pool);
    expect(await read(second)).toEqual(done);
  }, 60_000);

  it('begins again what was under way, and waits again for what was waited for', async () => {
    const { shop, publish, start, until, closed, fork } = all;
    await publish({
      name: 'under-way',
      nodes: [{ id: 'nap', type: 'delay', config: { durationMs: 1_500 } }, all.call('after'), all.call('beside')],
      edges: [{ from: 'nap', to: 'after' }],
    });
    const first = await start('under-way');
    await until(first, ({ nodes }) => nodes.some(({ id, status }: any) => id === 'beside' && status === 'COMPLETED'));
    const scheduled = await eventOf(first, 'node.scheduled', 'beside');
    await closed(first);
    all.reset();
    const began = Date.now();
    const second = await closed(await fork(first, scheduled));
    expect(Date.now() - began).toBeGreaterThanOrEqual(1_500);
    expect(second.status).toBe('COMPLETED');
    expect(shop.calls).toEqual(['beside', 'after']);
  }, 60_000);

  it('goes on inside of bodies, and in another version', async () => {
    const { shop, publish, start, until, closed, fork } = all;
    const loop = (last: string) => ({
      name: 'bodies',
      nodes: [
        { id: 'all', type: 'map', config: { items: '[1, 2, 3]', concurrency: 1 } },
        all.call('item', 'item', { parent: 'all' }),
        { id: 'pause', type: 'approval', parent: 'all', config: { title: 'next?' } },
        all.call(last),
      ],
      edges: [
        { from: 'item', to: 'pause' },
        { from: 'all', to: last },
      ],
    });
    const approveItem = (id: string, path: string) =>
      all.query(
        'mutation ($id: ID!, $p: String) { approve(runId: $id, nodeId: "pause", path: $p, decision: APPROVED) { id } }',
        { id, p: path },
      );
    const waits = (path: string) => (run: any) =>
      run.nodes.some((node: any) => node.id === 'pause' && node.path === path && node.status === 'WAITING');
    await publish(loop('end'));
    const first = await start('bodies');
    await until(first, waits('1'));
    await approveItem(first, '1');
    await until(first, waits('2'));
    const { run } = await all.query('query ($id: ID!) { run(id: $id) { events(first: 1000) { id } } }', { id: first });
    await publish(loop('finish'));
    all.reset();
    const second = await fork(first, run.events.at(-1).id, { v: 2 });
    await until(second, waits('2'));
    await approveItem(second, '2');
    await until(second, waits('3'));
    await approveItem(second, '3');
    expect(await closed(second)).toMatchObject({ status: 'COMPLETED', workflow: { version: 2 } });
    expect(shop.calls).toEqual(['item 3', 'finish']);
    await all.query('mutation ($id: ID!) { terminateRun(runId: $id) { id } }', { id: first });
  }, 60_000);

  it('refuses a moment from which nothing can go on', async () => {
    const { publish, chain, call, start, closed, fork } = all;
    await publish(chain('short', [call('one'), call('two')]));
    const first = await start('short');
    await closed(first);
    const end = await eventOf(first, 'run.completed');
    await expect(fork(first, end)).rejects.toMatchObject({ extensions: { code: 'RERUN_REFUSED' } });
    await expect(fork(first, end + 100)).rejects.toMatchObject({ extensions: { code: 'RERUN_REFUSED' } });
    await expect(fork(first, 0)).rejects.toMatchObject({ extensions: { code: 'INPUT_INVALID' } });
    const done = await eventOf(first, 'node.completed', 'one');
    const other = await closed(await fork(first, done, { p: { nodes: { two: { output: 'given' } } } }));
    expect(other.nodes[1]).toMatchObject({ status: 'COMPLETED', output: 'given', reusedFrom: null });
  }, 60_000);
});

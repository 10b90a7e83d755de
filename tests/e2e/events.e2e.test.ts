import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findFreePort } from '../../adapters/embedded/free-port.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import type { GraphQl } from './graphql.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
/** By the gateway, to an API that comes back at the same port when it is started again. */
let api: GraphQl;

beforeAll(async () => {
  const port = await findFreePort(0, new Set());
  stack = await startStack({ env: { PORT: String(port), WEFT_RECONCILE_INTERVAL_MS: '2000' } });
  api = stack.graphql;
  for (const definition of [ORDER, ECHO, CHAIN, TWO_WAITS]) await api.publish(definition);
}, 120_000);
afterAll(() => stack?.stop());

const ORDER: WorkflowDefinition = {
  name: 'order',
  nodes: [
    { id: 'paid', type: 'wait', config: { event: 'order.paid', correlation: 'input.order' } },
    {
      id: 'tell',
      type: 'emit',
      config: { event: 'order.done', correlation: 'input.order', data: { total: 'nodes.paid.output.data.total' } },
    },
  ],
  edges: [{ from: 'paid', port: 'received', to: 'tell' }],
  output: { total: 'nodes.paid.output.data.total', event: 'nodes.paid.output.id' },
};
const ECHO: WorkflowDefinition = {
  name: 'echo',
  nodes: [{ id: 'keep', type: 'transform', config: { value: 'input' } }],
  edges: [],
  output: 'nodes.keep.output',
};
const CHAIN: WorkflowDefinition = {
  name: 'chain',
  nodes: [{ id: 'again', type: 'emit', config: { event: 'chain', data: 'input' } }],
  edges: [],
  output: 'nodes.again.output.id',
};
const TWO_WAITS: WorkflowDefinition = {
  name: 'two-waits',
  nodes: [
    { id: 'left', type: 'wait', config: { event: 'both' } },
    { id: 'right', type: 'wait', config: { event: 'both' } },
    { id: 'late', type: 'wait', config: { event: 'never', timeoutMs: 500, onTimeout: 'route' } },
  ],
  edges: [],
  output: { left: 'nodes.left.output.id', right: 'nodes.right.output.id', late: 'nodes.late.port' },
};

/** Asks until there is an answer: whoever is killed comes back. */
async function sure<Data>(query: string, variables: object = {}): Promise<Data> {
  for (const deadline = Date.now() + 60_000; ; await sleep(200)) {
    try {
      const { data, errors } = await api.send<Data>(query, variables);
      if (!errors) return data;
      const [{ extensions, message } = { message: '' }] = errors;
      const later = ['TEMPORAL_UNAVAILABLE', 'DATABASE_UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE', 'INTERNAL'].includes(
        String(extensions?.['code']),
      );
      if (!later || Date.now() > deadline) throw new Error(`refused: ${message} ${JSON.stringify(extensions)}`);
    } catch (error) {
      if (Date.now() > deadline || String(error).includes('refused: ')) throw error;
    }
  }
}

const emit = (name: string, id: string, data: Json = null, correlation: string | null = null) =>
  sure(
    'mutation($name: String!, $id: ID, $data: JSON, $correlation: String) { emitEvent(name: $name, id: $id, data: $data, correlation: $correlation) { id } }',
    {
      name,
      id,
      data,
      correlation,
    },
  );

const trigger = (input: object) =>
  sure(
    `mutation($id: ID, $event: String!, $workflowId: ID!, $filter: String, $mapping: JSON) {
      createEventTrigger(id: $id, event: $event, workflowId: $workflowId, filter: $filter, mapping: $mapping) { id } }`,
    input,
  );

type RunRow = {
  id: string;
  status: string;
  input: JsonObject;
  output: JsonObject | null;
  error: JsonObject | null;
  trigger: JsonObject;
};
async function runsOf(id: string): Promise<RunRow[]> {
  const query = `query($id: ID!) { runs(first: 100, trigger: { kind: EVENT, id: $id }) {
    edges { node { id status input output error { code } trigger { kind id source } } } } }`;
  const { runs } = await sure<{ runs: { edges: { node: RunRow }[] } }>(query, { id });
  return runs.edges.map(({ node }) => node).toReversed();
}
async function until(id: string, wanted: (runs: RunRow[]) => boolean, timeoutMs = 60_000): Promise<RunRow[]> {
  for (const deadline = Date.now() + timeoutMs; ; await sleep(100)) {
    const found = await runsOf(id);
    if (wanted(found)) return found;
    if (Date.now() > deadline) throw new Error(JSON.stringify(found.map(({ id: run, status }) => [run, status])));
  }
}
const completed = (count: number) => (found: RunRow[]) =>
  found.length >= count && found.every(({ status }) => status === 'COMPLETED' || status === 'FAILED');

describe('an event trigger', () => {
  it('starts a run for every event that passes its filter, once for each', async () => {
    await trigger({
      id: 'large',
      event: 'sale',
      workflowId: 'echo',
      filter: 'event.data.total > 100',
      mapping: { sum: 'event.data.total', at: 'event.emittedAt' },
    });
    for (const total of [50, 150, 250]) await emit('sale', `sale-${total}`, { total });
    await emit('sale', 'sale-150', { total: 150 });
    const found = await until('large', completed(2));
    const sums = Object.fromEntries(found.map(({ trigger: by, output }) => [String(by['source']), output?.['sum']]));
    expect(sums).toEqual({ 'sale-150': 150, 'sale-250': 250 });
    expect(found[0]!.trigger).toMatchObject({ kind: 'EVENT', id: 'large' });
    await expect(emit('sale', 'sale-150', { total: 1 })).rejects.toThrow('IDEMPOTENCY_CONFLICT');
  });

  it('keeps what it could not do, and does it once it is mended', async () => {
    await trigger({ id: 'broken', event: 'odd', workflowId: 'echo', mapping: { value: 'event.data.missing.deep' } });
    await emit('odd', 'odd-1', { present: 7 });
    type Dead = { firings: { edges: { node: { id: string; error: { code: string } } }[] } };
    const dead = async () =>
      (await sure<Dead>('{ firings(triggerId: "broken", state: DEAD) { edges { node { id error { code } } } } }'))
        .firings.edges;
    while ((await dead()).length === 0) await sleep(50);
    const [{ node }] = (await dead()) as [{ node: { id: string; error: { code: string } } }];
    expect(node.error.code).toBe('EXPRESSION_FAILED');
    await sure('mutation($m: JSON) { updateEventTrigger(id: "broken", mapping: $m) { id } }', {
      m: { value: 'event.data.present' },
    });
    await sure('mutation($id: ID!) { retryFiring(id: $id) { state } }', { id: node.id });
    expect((await until('broken', completed(1)))[0]!.output).toEqual({ value: 7 });
  });

  it('does not go round in circles for ever', async () => {
    await trigger({ id: 'circle', event: 'chain', workflowId: 'chain' });
    await emit('chain', 'chain-start', {});
    const found = await until('circle', (all) => all.some(({ status }) => status === 'FAILED'));
    expect(found).toHaveLength(16);
    expect(found.at(-1)).toMatchObject({ status: 'FAILED', error: { code: 'EVENT_CHAIN_TOO_LONG' } });
    expect(found.filter(({ status }) => status === 'COMPLETED')).toHaveLength(15);
  }, 90_000);
});

describe('an event', () => {
  it('wakes every wait for it, in the run too that has two', async () => {
    const runId = await api.execute('two-waits', {});
    await api.until(runId, ['WAITING']);
    await emit('both', 'both-1', { n: 1 });
    const run = await api.until(runId, ['COMPLETED', 'FAILED']);
    expect(run.output).toEqual({ left: 'both-1', right: 'both-1', late: 'timed_out' });
    const { emittedEvent } = await sure<{ emittedEvent: JsonObject }>(
      '{ emittedEvent(id: "both-1") { deliveries { run { id } state } } }',
    );
    expect(emittedEvent).toEqual({ deliveries: [{ run: { id: runId }, state: 'SENT' }] });
  });

  it('goes by its correlation, and does not reach waits that open later', async () => {
    await emit('order.paid', 'too-early', { total: 1 }, 'corr-1');
    await sleep(2_500);
    const [one, two] = [
      await api.execute('order', { order: 'corr-1' }),
      await api.execute('order', { order: 'corr-2' }),
    ];
    await Promise.all([one, two].map((id) => api.until(id, ['WAITING'])));
    await emit('order.paid', 'for-two', { total: 2 }, 'corr-2');
    expect((await api.until(two, ['COMPLETED'])).output).toEqual({ total: 2, event: 'for-two' });
    expect((await api.run(one)).status).toBe('WAITING');
    await emit('order.paid', 'for-one', { total: 3 }, 'corr-1');
    expect((await api.until(one, ['COMPLETED'])).output).toEqual({ total: 3, event: 'for-one' });
  });

  it('is not missed by a wait that the read model does not know yet', async () => {
    await stack.processes.projector.kill();
    const runId = await api.execute('order', { order: 'unseen' });
    const handle = stack.temporal.client.workflow.getHandle(runId);
    for (const deadline = Date.now() + 30_000; ; await sleep(50)) {
      const state = JSON.stringify(await handle.query('state').catch(() => null));
      if (state.includes('WAITING')) break;
      if (Date.now() > deadline) throw new Error(state);
    }
    await emit('order.paid', 'unseen-1', { total: 9 }, 'unseen');
    await sleep(1_500);
    await stack.start('projector');
    expect((await api.until(runId, ['COMPLETED'])).output).toEqual({ total: 9, event: 'unseen-1' });
  }, 90_000);
});

describe('events while API, projector and worker are killed at random', () => {
  it('start each run once and wake each wait', async () => {
    const ORDERS = 30;
    await trigger({ id: 'orders', event: 'order.created', workflowId: 'order', mapping: 'event.data' });
    let killing = true;
    let kills = 0;
    const killer = (async () => {
      while (killing) {
        await sleep(300 + Math.random() * 1_200);
        const service = (['api', 'projector', 'worker'] as const)[Math.floor(Math.random() * 3)] ?? 'api';
        await stack.processes[service].kill();
        await sleep(Math.random() * 500);
        await stack.start(service);
        kills += 1;
      }
    })();
    const waits = async (runId: string) => {
      const state: unknown = await stack.temporal.client.workflow
        .getHandle(runId)
        .query('state')
        .catch(() => null);
      return JSON.stringify(state).includes('"WAITING"');
    };
    const numbers = Array.from({ length: ORDERS }, (_, index) => index);
    const order = async (index: number) => {
      // Spread over the kills, however long each takes.
      while (kills < index % 6) await sleep(100);
      await emit('order.created', `created-${index}`, { order: `o${index}` });
      // As soon as the run itself waits, whatever the read model shows.
      for (let runId: string | undefined; runId === undefined || !(await waits(runId)); await sleep(100)) {
        runId = (await runsOf('orders')).find(({ input }) => input['order'] === `o${index}`)?.id;
      }
      await emit('order.paid', `paid-${index}`, { total: index }, `o${index}`);
    };
    await Promise.all(numbers.map(order));
    killing = false;
    await killer;
    const found = await until(
      'orders',
      (all) => all.length >= ORDERS && all.every(({ status }) => status === 'COMPLETED'),
      120_000,
    );
    expect(kills).toBeGreaterThanOrEqual(5);
    expect(found).toHaveLength(ORDERS);
    const outputs = Object.fromEntries(found.map(({ input, output }) => [String(input['order']), output]));
    expect(outputs).toEqual(Object.fromEntries(numbers.map((n) => [`o${n}`, { total: n, event: `paid-${n}` }])));
    // What the runs emitted themselves was emitted once each, though their workers were killed.
    const { rows } = await stack.pool.query<{ correlation: string }>(
      `SELECT correlation FROM emitted_events JOIN runs ON runs.id = emitted_events.run_id
       WHERE name = 'order.done' AND runs.trigger_id = 'orders'`,
    );
    expect(rows.map(({ correlation }) => correlation).toSorted()).toEqual(numbers.map((n) => `o${n}`).toSorted());
    // What a killed process had in hand is noted as done by the next one, after its lease.
    const open = async () => {
      const { rows: left } = await stack.pool.query(
        `SELECT (SELECT count(*)::int FROM trigger_firings WHERE state <> 'STARTED' AND trigger_id = 'orders') AS firings,
                (SELECT count(*)::int FROM event_wakes WHERE state <> 'SENT') AS wakes`,
      );
      return left[0] as { firings: number; wakes: number };
    };
    const deadline = Date.now() + 60_000;
    while (Object.values(await open()).some(Boolean) && Date.now() < deadline) await sleep(200);
    expect(await open()).toEqual({ firings: 0, wakes: 0 });
  }, 300_000);
});

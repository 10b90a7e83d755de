import { setTimeout as sleep } from 'node:timers/promises';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { expectDensePositions, expectEveryEventOnce } from './audit.ts';
import { type Stack, startStack } from './stack.ts';

let mock: LLMock;
let stack: Stack;
beforeAll(async () => {
  mock = new LLMock({ port: 0, logLevel: 'silent' });
  await mock.start();
  const models = { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: `${mock.url}/v1`, OPENAI_MAX_TOKENS: '77' };
  stack = await startStack({ env: { ...models, WEFT_BUDGET_LEASE_MS: '2000' } });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await mock?.stop();
});

const asks = (name: string, prompt: string): WorkflowDefinition => ({
  name,
  nodes: [
    {
      ...{ id: 'ask', type: 'model.complete', config: { provider: 'openai', prompt } },
      timeouts: { heartbeatMs: 3_000 },
    },
  ],
  edges: [],
  output: { text: 'nodes.ask.output.text' },
});
async function saveBudget(input: object): Promise<void> {
  const { errors } = await stack.graphql.send('mutation ($input: BudgetInput!) { saveBudget(input: $input) { id } }', {
    input,
  });
  expect(errors).toBeUndefined();
}
async function useOf(id: string) {
  const query = 'query ($id: ID!) { budget(id: $id) { use { spent reserved } } }';
  return (await stack.graphql.send<{ budget: { use: object[] } }>(query, { id })).data.budget.use;
}
async function until(isThere: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; !(await isThere()); tries += 1) {
    if (tries > 600) throw new Error(`${what} did not come`);
    await sleep(50);
  }
}

describe('budgets', () => {
  it('neither leak nor charge twice when a worker is killed between the answer and its settlement', async () => {
    mock.onMessage('kill', { content: 'Hi.', usage: { input_tokens: 9, output_tokens: 3 } }, { latency: 1_000 });
    await saveBudget({
      id: 'killed',
      scope: 'WORKFLOW',
      target: 'budget-kill',
      period: 'DAY',
      unit: 'TOKENS',
      limit: 1_000,
    });
    const runId = await stack.graphql.execute(await stack.graphql.publish(asks('budget-kill', 'kill')), {});
    const held = await stack.pool.connect();
    try {
      await held.query('BEGIN');
      const reserved = `SELECT call_id FROM budget_reservations WHERE state = 'RESERVED' FOR UPDATE`;
      await until(async () => (await held.query(reserved)).rowCount === 1, 'the reservation');
      const settling = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%state <> ''SETTLED'' FOR UPDATE%'
        AND pid <> pg_backend_pid() AND datname = current_database()`;
      await until(async () => (await stack.pool.query(settling)).rowCount === 1, 'the settlement');
      await stack.processes.worker.kill();
      // The server would go on with what it was asked before the process died.
      await stack.pool.query(`SELECT pg_terminate_backend(pid) FROM (${settling}) waiting`);
    } finally {
      await held.query('ROLLBACK');
      held.release();
    }
    await stack.start('worker');
    expect(await stack.graphql.until(runId, ['COMPLETED', 'FAILED'])).toMatchObject({
      status: 'COMPLETED',
      nodes: [{ attempts: 2 }],
    });
    expect(mock.getRequests()).toHaveLength(2);
    expect(await useOf('killed')).toEqual([{ spent: 12, reserved: 0 }]);
    const { rows } = await stack.pool.query(
      `SELECT count(*)::int AS count FROM events WHERE type = 'budget.call_lost'`,
    );
    expect(rows).toEqual([{ count: 1 }]);
  }, 120_000);

  it('let a run wait, through the death of its worker, until there is room again', async () => {
    mock.onMessage('park', { content: 'Hi.', usage: { input_tokens: 9, output_tokens: 91 } });
    const parks = {
      id: 'parks',
      scope: 'WORKFLOW',
      target: 'budget-park',
      period: 'DAY',
      unit: 'TOKENS',
      action: 'PARK',
    };
    await saveBudget({ ...parks, limit: 150 });
    const workflow = await stack.graphql.publish(asks('budget-park', 'park'));
    await stack.graphql.until(await stack.graphql.execute(workflow, {}), ['COMPLETED']);
    const asked = mock.getRequests().length;
    const runId = await stack.graphql.execute(workflow, {});
    expect(await stack.graphql.until(runId, ['WAITING', 'FAILED', 'COMPLETED'])).toMatchObject({
      status: 'WAITING',
      nodes: [{ status: 'WAITING', attempts: 0 }],
    });
    await stack.processes.worker.kill();
    await stack.start('worker');
    expect(mock.getRequests()).toHaveLength(asked);
    await saveBudget({ id: 'parks', limit: 1_000 });
    const retry = 'mutation ($runId: ID!) { retryNode(runId: $runId, nodeId: "ask") { id } }';
    expect((await stack.graphql.send(retry, { runId })).errors).toBeUndefined();
    expect(await stack.graphql.until(runId, ['COMPLETED', 'FAILED'])).toMatchObject({
      status: 'COMPLETED',
      nodes: [{ attempts: 1 }],
    });
    expect(await useOf('parks')).toEqual([{ spent: 200, reserved: 0 }]);
    await expectEveryEventOnce(stack, runId);
    await expectDensePositions(stack);
  }, 120_000);

  it('fail a call that can never fit, by a code of its own', async () => {
    await saveBudget({
      id: 'tiny',
      scope: 'WORKFLOW',
      target: 'budget-tiny',
      period: 'DAY',
      unit: 'MICRO_USD',
      limit: 1,
    });
    const runId = await stack.graphql.execute(await stack.graphql.publish(asks('budget-tiny', 'tiny')), {});
    expect(await stack.graphql.until(runId, ['COMPLETED', 'FAILED'])).toMatchObject({
      status: 'FAILED',
      error: { code: 'BUDGET_EXCEEDED', nodeId: 'ask' },
    });
  }, 60_000);
});

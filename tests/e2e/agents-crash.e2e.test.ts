import { LLMock } from '@copilotkit/aimock';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LedgerTools, startLedgerTools } from '../ledger-tools.ts';
import { type ModelGate, startModelGate } from '../model-gate.ts';
import { type Stack, startStack } from './stack.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
let stack: Stack;
let tools: LedgerTools;
let gate: ModelGate;
const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };

beforeAll(async () => {
  await mock.start();
  [tools, gate] = await Promise.all([startLedgerTools(), startModelGate(mock.url)]);
  mock.on(
    { hasToolResult: false },
    {
      toolCalls: [
        { name: 'look', arguments: '{"thing":"lamp"}' },
        { name: 'charge', arguments: '{"cents":40}' },
      ],
      usage,
    },
  );
  mock.on({ hasToolResult: true }, { content: 'The lamp is paid.', usage });
  stack = await startStack({
    env: {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `${gate.url}/v1`,
      WEFT_HTTP_ALLOWED_HOSTS: '127.0.0.1',
      WEFT_AUTH: 'off',
    },
  });
  const input = { id: 'till', transport: 'HTTP', endpoints: [{ url: tools.url }] };
  const saved = await stack.graphql.send('mutation($input: McpServerInput!) { saveMcpServer(input: $input) { id } }', {
    input,
  });
  if (saved.errors) throw new Error(JSON.stringify(saved.errors));
  await stack.graphql.publish({
    name: 'shopping',
    nodes: [
      {
        id: 'buyer',
        type: 'agent',
        config: {
          prompt: 'Buy a {{input.thing}}.',
          models: ['openai/gpt-4o-mini'],
          stream: false,
          limits: { turns: 5, microUsd: 1_000_000 },
          tools: [{ mcp: { server: 'till' }, approval: 'when', when: '!item.readOnly' }],
        },
      },
    ],
    edges: [],
    output: { said: 'nodes.buyer.output.text', spent: 'nodes.buyer.output.spent' },
  });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await Promise.all([tools?.close(), gate?.close()]);
  await mock.stop();
});

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 90_000; !(await what()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`not in time: ${String(what)}`);
  }
}
async function restart(): Promise<void> {
  await stack.processes.worker.kill();
  await stack.start('worker');
}
const waiting = (child: string, node: string) => async () => {
  const view = await stack.graphql.run(child).catch(() => null);
  return view?.nodes.some(({ id, status }) => id === node && status === 'WAITING') ?? false;
};
async function answer(run: string, nodeId: string): Promise<void> {
  const mutation = `mutation($run: ID!, $node: ID!, $path: String) {
    approve(runId: $run, nodeId: $node, path: $path, decision: APPROVED) { id }
  }`;
  const { errors } = await stack.graphql.send(mutation, { run, node: nodeId, path: '1.2' });
  expect(errors).toBeUndefined();
}

describe('an agent whose worker is killed again and again', () => {
  it('asks no model and calls no tool twice without saying so', async () => {
    tools.hold('look');
    const run = await stack.graphql.execute('shopping', { thing: 'lamp' });
    const child = `${run}:buyer:1`;
    await until(() => tools.callsOf('look').length === 1);
    await restart();
    tools.release('look');

    await until(waiting(child, 'ask0'));
    await until(() => tools.callsOf('look').length === 2);
    tools.hold('charge');
    await restart();
    await answer(child, 'ask0');
    await until(() => tools.callsOf('charge').length === 1);
    await restart();

    await until(waiting(child, 'settle'));
    tools.release('charge');
    gate.shut();
    await answer(child, 'settle');
    await until(() => gate.asked.length === 2);
    await restart();
    gate.open();

    const ended = await stack.graphql.until(run, ['COMPLETED', 'FAILED', 'CANCELLED'], 120_000);
    expect(ended).toMatchObject({
      status: 'COMPLETED',
      output: { said: 'The lamp is paid.', spent: { turns: 2, calls: 2, inputTokens: 200 } },
    });
    expect(tools.callsOf('charge')).toHaveLength(1);
    expect(new Set(tools.callsOf('look').map(({ key }) => key)).size).toBe(1);
    // The second turn was killed while the model was answering, so it is asked for that again; the first was paid and is not.
    expect(gate.asked).toHaveLength(3);
    expect(gate.asked[2]?.body).toEqual(gate.asked[1]?.body);
    const { rows } = await stack.pool.query(
      "SELECT count(*)::int AS turns FROM node_executions WHERE run_id = $1 AND node_id = 'turn' AND status = 'COMPLETED'",
      [child],
    );
    expect(rows).toEqual([{ turns: 2 }]);
  }, 400_000);
});

import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type Stack, startStack } from './stack.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
const MODELS = { models: ['openai/gpt-4o-mini'] };
const usage = { prompt_tokens: 1_000, completion_tokens: 1_000, total_tokens: 2_000 };
type Event = { message: { role: string; text: string } | null; text: string | null; status: string | null };
let stack: Stack;

beforeAll(async () => {
  await mock.start();
  stack = await startStack({
    env: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: `${mock.url}/v1`, WEFT_HTTP_ALLOWED_HOSTS: '127.0.0.1' },
  });
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await mock.stop();
});

async function ask<Data>(query: string, variables: object): Promise<Data> {
  const { data, errors } = await stack.graphql.send<Data>(query, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}
const codeOf = async (query: string, variables: object) =>
  (await stack.graphql.send<unknown>(query, variables)).errors?.[0]?.extensions?.['code'];

const SAVE = 'mutation ($name: ID!, $config: JSON!) { saveAgent(name: $name, config: $config) { version } }';
const CHAT = 'mutation ($name: ID!, $message: String) { startAgentChat(name: $name, message: $message) { id } }';
const SAY = `mutation ($run: ID!, $text: String, $end: Boolean, $id: ID) {
  sendAgentMessage(runId: $run, text: $text, end: $end, messageId: $id) { status } }`;
const save = (name: string, config: object) => ask(SAVE, { name, config: { ...MODELS, ...config } });
const chat = async (name: string, message: string) =>
  (await ask<{ startAgentChat: { id: string } }>(CHAT, { name, message })).startAgentChat.id;

describe('an agent', () => {
  it('is talked to while its words and messages are watched, and ends when it is told', async () => {
    mock.onMessage('hello', { content: 'Good morning to you!', usage });
    mock.onMessage('and now', { content: 'Good evening.', usage });
    await save('greeter', { chat: true });
    const run = await chat('greeter', 'hello');
    const client = createClient({
      ...{ url: `ws://127.0.0.1:${stack.processes.gateway.port}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 },
      connectionParams: { authorization: `Bearer ${stack.env['WEFT_TOKEN']}` },
    });
    const said: string[] = [];
    let words = '';
    let status: string | null = null;
    const query = 'subscription ($run: ID!) { agentChat(runId: $run) { message { role text } text status } }';
    try {
      for await (const { data, errors } of client.iterate({ query, variables: { run } })) {
        expect(errors).toBeUndefined();
        const event = (data as { agentChat: Event }).agentChat;
        if (event.text !== null) words += event.text;
        if (event.status !== null) status = event.status;
        if (event.message === null) continue;
        said.push(`${event.message.role}: ${event.message.text}`);
        // The same message twice, as a client does that did not hear of the first.
        if (said.length === 2) for (const id of ['m1', 'm1']) await ask(SAY, { run, text: 'and now', id });
        if (said.length === 4) await ask(SAY, { run, end: true });
      }
    } finally {
      await client.dispose();
    }
    expect(said.slice(0, 4)).toEqual([
      'USER: hello',
      'ASSISTANT: Good morning to you!',
      'USER: and now',
      'ASSISTANT: Good evening.',
    ]);
    expect(words).toBe('Good morning to you!Good evening.');
    expect(status).toBe('COMPLETED');
    expect(await codeOf(SAY, { run, text: 'anybody there?' })).toBe('RUN_CLOSED');
  }, 120_000);

  it('gives work to a sub-agent, whose spending counts', async () => {
    mock.on(
      { userMessage: 'write to Ada', hasToolResult: false },
      { toolCalls: [{ name: 'writer', arguments: '{"prompt":"a letter"}' }], usage },
    );
    mock.onMessage('a letter', { content: 'Dear Ada.', usage });
    mock.on({ userMessage: 'write to Ada', hasToolResult: true }, { content: 'It is written.', usage });
    await save('office', { tools: [{ name: 'writer', description: 'Writes letters.', agent: { ...MODELS } }] });
    const run = await chat('office', 'write to Ada');
    const ended = await stack.graphql.until(run, ['COMPLETED', 'FAILED'], 60_000);
    expect(ended).toMatchObject({ status: 'COMPLETED', output: { text: 'It is written.', finish: 'done', turns: 2 } });
    const { agentConversation } = await ask<{ agentConversation: { inputTokens: number; turns: unknown[] } }>(
      `query ($run: ID!) { agentConversation(runId: $run) { inputTokens turns { calls { name status childRunId } } } }`,
      { run },
    );
    expect(agentConversation.inputTokens).toBe(3_000);
    expect(agentConversation.turns[0]).toEqual({
      calls: [{ name: 'writer', status: 'DONE', childRunId: expect.stringContaining(run) }],
    });
  }, 120_000);

  it('stops when its money is spent', async () => {
    mock.onMessage('dig', { toolCalls: [{ name: 'dig', arguments: '{}' }], usage });
    const dig = { name: 'dig', description: 'Digs on.', node: { type: 'transform', config: { value: '"deeper"' } } };
    await save('digger', { limits: { turns: 20, microUsd: 1 }, onLimit: 'fail', tools: [dig] });
    const run = await chat('digger', 'dig');
    const ended = await stack.graphql.until(run, ['COMPLETED', 'FAILED'], 60_000);
    expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'AGENT_MONEY_EXHAUSTED' } });
  }, 120_000);

  it('of a preset has its tools', async () => {
    mock.on(
      { userMessage: 'look at this', hasToolResult: false },
      { toolCalls: [{ name: 'analyze_text', arguments: '{"text":"Light bends near great masses."}' }], usage },
    );
    mock.on({ userMessage: 'look at this', hasToolResult: true }, { content: 'A short text.', usage });
    await save('analyst', { preset: 'analysis' });
    const run = await chat('analyst', 'look at this');
    expect(await stack.graphql.until(run, ['COMPLETED', 'FAILED'], 60_000)).toMatchObject({
      status: 'COMPLETED',
      output: { text: 'A short text.', turns: 2 },
    });
    const { agentConversation } = await ask<{ agentConversation: { turns: { calls: unknown[] }[] } }>(
      'query ($run: ID!) { agentConversation(runId: $run) { turns { calls { name status } } } }',
      { run },
    );
    expect(agentConversation.turns[0]?.calls).toEqual([{ name: 'analyze_text', status: 'DONE' }]);
  }, 120_000);

  it('is not saved when it could not run, nor started when there is none', async () => {
    expect(await codeOf(SAVE, { name: 'lost', config: { tools: [{ workflow: 'nobody' }], chat: true } })).toBe(
      'DEFINITION_INVALID',
    );
    expect(await codeOf(CHAT, { name: 'nobody', message: 'hello' })).toBe('NOT_FOUND');
    expect(await codeOf(SAY, { run: 'run-nobody', text: 'hello' })).toBe('NOT_FOUND');
  });
});

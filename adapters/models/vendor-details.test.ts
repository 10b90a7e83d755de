import { afterEach, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import type { Message } from '../../domain/models/message.ts';
import { startEchoServer } from '../../tests/echo-server.ts';
import { localProviders } from '../../tests/model-options.ts';
import { createAnthropic } from './anthropic.ts';
import { createBedrock } from './bedrock.ts';
import { createGemini } from './gemini.ts';
import { createOpenAiResponses } from './openai-responses.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
const serve = async (answer: Parameters<typeof startEchoServer>[0]) => {
  const started = await startEchoServer(answer);
  servers.push(started.server);
  return started;
};
const never = () => new AbortController().signal;
const TOOL = { name: 'look', description: 'Looks', parameters: { type: 'object' } };
const SYSTEM: Message = { role: 'system', content: 'Be brief' };
const USER: Message = { role: 'user', content: 'Hello' };
const request = (model: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  model,
  messages: [SYSTEM, USER],
  ...more,
});

const CLAUDE = {
  id: 'msg',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5-20251001',
  content: [
    { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
    { type: 'redacted_thinking', data: 'c2VjcmV0' },
    { type: 'text', text: 'Hi' },
  ],
  stop_reason: 'end_turn',
  usage: { input_tokens: 5, output_tokens: 7, cache_read_input_tokens: 100, cache_creation_input_tokens: 20 },
};
const BREAKPOINT = { cache_control: { type: 'ephemeral' } };

describe('Anthropic', () => {
  it('is told where what stays the same ends: after the tools, after the system, and in a conversation after the last turn', async () => {
    const { url, heard } = await serve(() => CLAUDE);
    const model = createAnthropic(localProviders(url).anthropic);
    await model.generate(request('claude-haiku-4-5', { tools: [TOOL, { ...TOOL, name: 'peek' }] }), never());
    expect(heard[0]!.body).toMatchObject({
      tools: [expect.not.objectContaining(BREAKPOINT), BREAKPOINT],
      system: [{ text: 'Be brief', ...BREAKPOINT }],
      messages: [{ content: [expect.not.objectContaining(BREAKPOINT)] }],
    });
    const messages: Message[] = [SYSTEM, USER, { role: 'assistant', content: 'Hi' }, USER];
    await model.generate(request('claude-haiku-4-5', { messages }), never());
    expect(heard[1]!.body).toMatchObject({ messages: [{}, {}, { content: [BREAKPOINT] }] });
    await model.generate(request('claude-haiku-4-5', { messages, cache: false }), never());
    expect(JSON.stringify(heard[2]!.body)).not.toContain('cache_control');
  });

  it('counts what came from the cache and what went into it as input', async () => {
    const { url } = await serve(() => CLAUDE);
    const { usage } = await createAnthropic(localProviders(url).anthropic).generate(
      request('claude-haiku-4-5'),
      never(),
    );
    expect(usage).toEqual({
      inputTokens: 125,
      outputTokens: 7,
      cacheReadTokens: 100,
      cacheWriteTokens: 20,
      reasoningTokens: 0,
    });
  });

  it('gets its thoughts back unchanged, and nobody else gets them', async () => {
    const { url, heard } = await serve(() => CLAUDE);
    const options = localProviders(url);
    const model = createAnthropic(options.anthropic);
    const { content } = await model.generate(request('claude-haiku-4-5', { reasoning: 'low' }), never());
    expect(heard[0]!.body).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 2048 }, max_tokens: 2048 + 77 });
    const messages: Message[] = [SYSTEM, USER, { role: 'assistant', content }, USER];
    await model.generate(request('claude-haiku-4-5', { messages }), never());
    const [thinking, redacted] = CLAUDE.content;
    expect(heard[1]!.body).toMatchObject({ messages: [{}, { content: [thinking, redacted, { type: 'text' }] }, {}] });
    const other = createOpenAiResponses({ ...options.openai, baseUrl: url });
    await other.generate(request('gpt-5', { messages }), never()).catch(() => undefined);
    expect(JSON.stringify(heard[2]!.body)).not.toMatch(/c2ln|c2VjcmV0/);
  });

  it('takes an effort where the model has no number of tokens to think with', async () => {
    const { url, heard } = await serve(() => CLAUDE);
    await createAnthropic(localProviders(url).anthropic).generate(
      request('claude-opus-4-6', { reasoning: 'high' }),
      never(),
    );
    expect(heard[0]!.body).toMatchObject({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high' },
      max_tokens: 77,
    });
  });

  it('reads PDF and text files', async () => {
    const { url, heard } = await serve(() => CLAUDE);
    const content = [
      { type: 'file' as const, name: 'a.pdf', source: { data: 'JVBERi0=', mediaType: 'application/pdf' } },
      {
        type: 'file' as const,
        source: { data: Buffer.from('Light bends.').toString('base64'), mediaType: 'text/plain' },
      },
    ];
    const model = createAnthropic(localProviders(url).anthropic);
    await model.generate(request('claude-haiku-4-5', { messages: [{ role: 'user', content }] }), never());
    expect(heard[0]!.body).toMatchObject({
      messages: [{ content: [{ source: { media_type: 'application/pdf' } }, { source: { data: 'Light bends.' } }] }],
    });
  });
});

const CONVERSE = {
  output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 5, outputTokens: 7, totalTokens: 12, cacheReadInputTokens: 100 },
};

describe('Bedrock', () => {
  it('gets cache points where the model knows them, and turns that alternate', async () => {
    const { url, heard } = await serve(() => CONVERSE);
    const model = createBedrock(localProviders(url).bedrock);
    const messages: Message[] = [SYSTEM, USER, USER];
    const claude = request(model.defaults.model, { messages, tools: [TOOL] });
    const { usage } = await model.generate(claude, never());
    expect(heard[0]!.body).toMatchObject({
      system: [{ text: 'Be brief' }, { cachePoint: { type: 'default' } }],
      messages: [{ role: 'user', content: [{ text: 'Hello' }, { text: 'Hello' }] }],
      toolConfig: { tools: [{ toolSpec: { name: 'look' } }, { cachePoint: { type: 'default' } }] },
    });
    expect(usage).toMatchObject({ inputTokens: 105, cacheReadTokens: 100 });
    await model.generate({ ...claude, model: 'meta.llama3-1-70b-instruct-v1:0' }, never());
    expect(JSON.stringify(heard[1]!.body)).not.toContain('cachePoint');
  });

  it('makes embeddings by Titan, one text a call', async () => {
    const { url, heard } = await serve(({ body }) => ({
      embedding: [(body as { inputText: string }).inputText.length, 1],
      inputTextTokenCount: 3,
    }));
    const model = createBedrock(localProviders(url).bedrock);
    const made = await model.embed(
      { model: model.defaults.embeddingModel!, texts: ['a', 'bb'], dimensions: 256 },
      never(),
    );
    expect(made).toMatchObject({
      embeddings: [
        [1, 1],
        [2, 1],
      ],
      usage: { inputTokens: 6 },
    });
    expect(heard.map(({ body }) => body)).toEqual([
      { inputText: 'a', dimensions: 256 },
      { inputText: 'bb', dimensions: 256 },
    ]);
  });
});

describe('Gemini', () => {
  it('makes embeddings of many texts in one call', async () => {
    const { url, heard } = await serve(() => ({ embeddings: [{ values: [1, 2] }, { values: [3, 4] }] }));
    const model = createGemini(localProviders(url).gemini);
    const { embeddings } = await model.embed({ model: 'gemini-embedding-001', texts: ['a', 'b'] }, never());
    expect(embeddings).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(heard.map(({ path }) => path)).toEqual(['/v1beta/models/gemini-embedding-001:batchEmbedContents']);
  });

  it('counts thoughts as output, and says so when the prompt was blocked', async () => {
    const answers = [
      {
        candidates: [{ content: { parts: [{ text: 'Hm.', thought: true }, { text: 'Hi' }] }, finishReason: 'STOP' }],
        usageMetadata: {
          promptTokenCount: 5,
          candidatesTokenCount: 2,
          thoughtsTokenCount: 40,
          cachedContentTokenCount: 4,
        },
      },
      { promptFeedback: { blockReason: 'SAFETY' } },
    ];
    const { url } = await serve(() => answers.shift());
    const model = createGemini(localProviders(url).gemini);
    const answer = await model.generate(request('gemini-2.5-flash', { reasoning: 'low' }), never());
    expect(answer).toMatchObject({
      content: [
        { type: 'reasoning', text: 'Hm.' },
        { type: 'text', text: 'Hi' },
      ],
      usage: { inputTokens: 5, outputTokens: 42, reasoningTokens: 40, cacheReadTokens: 4 },
    });
    await expect(model.generate(request('gemini-2.5-flash'), never())).rejects.toMatchObject({
      code: 'MODEL_CONTENT_FILTERED',
    });
  });
});

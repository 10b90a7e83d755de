import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { GenerateRequest, StreamPart } from '../../domain/models/generation.ts';
import type { LanguageModel } from '../../domain/models/language-model.ts';
import type { Message } from '../../domain/models/message.ts';
import { localProviders } from '../../tests/model-options.ts';
import { createLanguageModels } from './language-models.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
beforeAll(() => mock.start());
afterAll(() => mock.stop());
afterEach(() => void mock.reset());

const REMOTE = [
  'openai',
  'openai-responses',
  'azure-openai',
  'anthropic',
  'bedrock',
  'gemini',
  'ollama',
  'lab',
] as const;
type Provider = (typeof REMOTE)[number];
const modelsAt = (url: string) => createLanguageModels({ ...localProviders(url), condense: () => Promise.resolve('') });
const modelOf = (provider: Provider, url = mock.url): LanguageModel<AbortSignal> => modelsAt(url).get(provider)!;
const never = () => new AbortController().signal;
const requestOf = (
  model: LanguageModel<AbortSignal>,
  prompt: string,
  more: Partial<GenerateRequest> = {},
): GenerateRequest => ({
  model: model.defaults.model,
  messages: [{ role: 'user', content: prompt }],
  ...more,
});
const partsOf = async (model: LanguageModel<AbortSignal>, request: GenerateRequest, signal = never()) => {
  const parts: StreamPart[] = [];
  for await (const part of model.stream(request, signal)) parts.push(part);
  return parts;
};
const resultOf = (parts: readonly StreamPart[]) => {
  const last = parts.at(-1);
  return last?.type === 'end' ? last.result : undefined;
};
/** What the server understood, in the words of chat completions whatever was spoken. */
const sent = () =>
  mock.getLastRequest()!.body as unknown as { messages: { role: string; content: unknown }[]; tools?: unknown[] };
const raw = () => JSON.stringify(mock.getLastRequest()!.body);

const SLOWLY = { chunkSize: 5, streamingProfile: { ttft: 0, tps: 100 } };

/** A server in between, for what the other one does not do or tell. */
function relayTo(url: string, watch: (answer: IncomingMessage, response: ServerResponse) => void): Server {
  return createServer((request, response) => {
    const { method, headers, url: path } = request;
    const onward = httpRequest(`${url}${path}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      watch(answer, response);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const USAGE = {
  prompt_tokens: 9,
  completion_tokens: 3,
  input_tokens: 9,
  output_tokens: 3,
  promptTokenCount: 9,
  candidatesTokenCount: 3,
};
const COUNTED = { inputTokens: 9, outputTokens: 3, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
const WEATHER = {
  name: 'weather',
  description: 'The weather of a place',
  parameters: {
    type: 'object',
    properties: { place: { type: 'string' } },
    required: ['place'],
    additionalProperties: false,
  },
};
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe.each(REMOTE)('%s', (provider) => {
  it('answers with text, why it ended and what it used', async () => {
    mock.onMessage('hello', { content: 'Hi there!', usage: USAGE });
    const model = modelOf(provider);
    expect(await model.generate(requestOf(model, 'hello'), never())).toEqual({
      content: [{ type: 'text', text: 'Hi there!' }],
      model: expect.any(String),
      finishReason: 'stop',
      usage: COUNTED,
    });
    expect(mock.getRequests()).toHaveLength(1);
  });

  it('streams the same answer piece by piece', async () => {
    const text = 'The quick brown fox jumps over the lazy dog, and again, and again.';
    mock.onMessage('hello', { content: text, usage: USAGE }, { chunkSize: 8 });
    const model = modelOf(provider);
    const parts = await partsOf(model, requestOf(model, 'hello'));
    const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.join('')).toBe(text);
    expect(resultOf(parts)).toMatchObject({ content: [{ type: 'text', text }], finishReason: 'stop', usage: COUNTED });
  });

  it('was told the whole conversation, the source set apart', async () => {
    mock.onMessage(/Sum up/, { content: 'ok' });
    const model = modelOf(provider);
    const messages: Message[] = [
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'Good day' },
      { role: 'assistant', content: 'And to you' },
      { role: 'user', content: 'Sum up' },
    ];
    await model.generate(
      requestOf(model, '', { messages, source: 'Light bends.', temperature: 0.2, maxOutputTokens: 5 }),
      never(),
    );
    expect(raw()).toContain('Be brief');
    const turns = sent().messages.filter(({ role }) => role !== 'system');
    expect(turns.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(JSON.stringify(turns[2])).toContain('Sum up\\n\\n<source>\\nLight bends.\\n</source>');
  });

  it.each(['generate', 'stream'] as const)('asks for a tool and goes on with what it gave (%s)', async (way) => {
    mock.on(
      { toolName: 'weather', hasToolResult: false },
      { toolCalls: [{ name: 'weather', arguments: '{"place":"Oslo"}', id: 'call_7' }] },
    );
    mock.on({ hasToolResult: true }, { content: 'Rain in Oslo.' });
    const model = modelOf(provider);
    const ask = async (request: GenerateRequest) =>
      way === 'generate' ? model.generate(request, never()) : resultOf(await partsOf(model, request))!;
    // The server does not know the cache points of Bedrock.
    const request = requestOf(model, 'What is the weather in Oslo?', {
      tools: [WEATHER],
      cache: provider !== 'bedrock',
    });
    const asked = await ask(request);
    expect(asked.finishReason).toBe('tool-calls');
    const call = asked.content.find((part) => part.type === 'tool-call')!;
    expect(call).toMatchObject({ name: 'weather', input: { place: 'Oslo' }, id: expect.stringMatching(/./) });
    const answered = await ask({
      ...request,
      messages: [
        ...request.messages,
        { role: 'assistant', content: asked.content },
        { role: 'tool', content: [{ type: 'tool-result', id: call.id, name: 'weather', output: { sky: 'rain' } }] },
      ],
    });
    expect(answered).toMatchObject({ content: [{ type: 'text', text: 'Rain in Oslo.' }], finishReason: 'stop' });
    expect(raw()).toMatch(/\{\\*"sky\\*":\\*"rain\\*"\}/);
  });

  it('is shown an image', async () => {
    mock.onMessage('What is this?', { content: 'A pixel.' });
    const model = modelOf(provider);
    const content = [
      { type: 'image' as const, source: { data: PIXEL, mediaType: 'image/png' } },
      { type: 'text' as const, text: 'What is this?' },
    ];
    const seen = await model.generate(requestOf(model, '', { messages: [{ role: 'user', content }] }), never());
    expect(seen.content).toEqual([{ type: 'text', text: 'A pixel.' }]);
  });

  it('holds to a schema', async () => {
    mock.onMessage('colours', { content: '{"colours":["red"]}' });
    const model = modelOf(provider);
    const schema = {
      type: 'object',
      properties: { colours: { type: 'array', items: { type: 'string' } } },
      required: ['colours'],
      additionalProperties: false,
    };
    expect(model.capabilities(model.defaults.model).schema).toBe('native');
    const { content } = await model.generate(requestOf(model, 'colours', { schema }), never());
    expect(content).toEqual([{ type: 'text', text: '{"colours":["red"]}' }]);
  });

  it.each([
    [400, 'no such field', 'MODEL_BAD_REQUEST', false],
    [401, 'bad key', 'MODEL_AUTH', false],
    [403, 'not yours', 'MODEL_AUTH', false],
    [404, 'no such model', 'MODEL_BAD_REQUEST', false],
    [400, 'prompt is too long: 300000 tokens > 200000 maximum', 'MODEL_CONTEXT_TOO_LONG', false],
    [400, 'the content_filter was triggered', 'MODEL_CONTENT_FILTERED', false],
    [429, 'slow down', 'MODEL_RATE_LIMITED', true],
    [500, 'oops', 'MODEL_UNAVAILABLE', true],
    [503, 'busy', 'MODEL_OVERLOADED', true],
  ])('takes status %i "%s" for %s, and asks once only', async (status, message, code, retryable) => {
    mock.on({}, { error: { message, type: 'test' }, status });
    const model = modelOf(provider);
    await expect(model.generate(requestOf(model, 'x'), never())).rejects.toMatchObject({ code, retryable });
    await expect(partsOf(model, requestOf(model, 'x'))).rejects.toMatchObject({ code, retryable });
    expect(mock.getRequests()).toHaveLength(2);
  });

  it('hands on how long to wait', async () => {
    mock.on({}, { error: { message: 'slow down' }, status: 429, retryAfter: 7 });
    const model = modelOf(provider);
    const expected = { code: 'MODEL_RATE_LIMITED', fields: { provider, retryAfterMs: 7_000 } };
    await expect(model.generate(requestOf(model, 'x'), never())).rejects.toMatchObject(expected);
    await expect(partsOf(model, requestOf(model, 'x'))).rejects.toMatchObject(expected);
  });

  it('says that an answer broke off, after what had come of it', async () => {
    mock.onMessage('hello', { content: 'word '.repeat(400), usage: USAGE }, SLOWLY);
    const relay = relayTo(mock.url, (answer, response) => {
      let pieces = 0;
      answer.on('data', () => (pieces += 1) === 12 && setImmediate(() => response.destroy()));
    });
    const model = modelOf(provider, await listening(relay));
    const parts: StreamPart[] = [];
    const reading = async () => {
      for await (const part of model.stream(requestOf(model, 'hello'), never())) parts.push(part);
    };
    await expect(reading()).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE', retryable: true });
    expect(parts.filter(({ type }) => type === 'text').length).toBeGreaterThan(0);
    expect(resultOf(parts)).toBeUndefined();
    relay.closeAllConnections();
    relay.close();
  });

  it('never shows a key', async () => {
    mock.on({}, { error: { message: 'no' }, status: 401 });
    const model = modelOf(provider);
    const error: unknown = await model.generate(requestOf(model, 'x'), never()).catch((reason: unknown) => reason);
    expect(JSON.stringify([error, String(error)])).not.toMatch(/-test/);
  });

  it.each(['generate', 'stream'] as const)('is cancelled, which the server sees (%s)', async (way) => {
    const [arrived, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const server = createServer((request) => {
      request.socket.on('close', () => closed.resolve());
      arrived.resolve();
    });
    const cancelling = new AbortController();
    const model = modelOf(provider, await listening(server));
    const request = requestOf(model, 'x');
    const asking =
      way === 'generate' ? model.generate(request, cancelling.signal) : partsOf(model, request, cancelling.signal);
    const failing = expect(asking).rejects.toThrow('given up');
    await arrived.promise;
    cancelling.abort(new Error('given up'));
    await failing;
    await closed.promise;
    server.close();
  });

  it('ends the request when nobody reads on', async () => {
    mock.onMessage('hello', { content: 'word '.repeat(400) }, SLOWLY);
    const left = Promise.withResolvers<void>();
    const relay = relayTo(mock.url, (_, response) => {
      response.on('close', () => !response.writableEnded && left.resolve());
    });
    const model = modelOf(provider, await listening(relay));
    for await (const part of model.stream(requestOf(model, 'hello'), never())) if (part.type === 'text') break;
    await left.promise;
    relay.closeAllConnections();
    relay.close();
  });

  it('may be tried again when nobody listens', async () => {
    const server = createServer();
    const url = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const model = modelOf(provider, url);
    await expect(model.generate(requestOf(model, 'x'), never())).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('embeddings', () => {
  it.each(['openai', 'azure-openai', 'ollama', 'lab'] as const)('%s gives a vector for each text', async (provider) => {
    mock.onEmbedding('first', { embedding: [0.1, 0.2] });
    mock.onEmbedding('second', { embedding: [0.3, 0.4] });
    const model = modelOf(provider);
    const { embeddings } = await model.embed(
      { model: model.defaults.embeddingModel!, texts: ['first', 'second'] },
      never(),
    );
    expect(embeddings).toHaveLength(2);
    expect(embeddings.every((vector) => vector.length > 1)).toBe(true);
  });

  it('offline-lexical puts texts of the same words near each other', async () => {
    const model = modelsAt(mock.url).get('offline-lexical')!;
    const texts = ['The switch of the lamp broke', 'The lamp has a broken switch', 'Wheat needs rain in April'];
    const { embeddings } = await model.embed({ model: model.defaults.embeddingModel!, texts }, never());
    const near = (left: number, right: number) =>
      embeddings[left]!.reduce((sum, value, index) => sum + value * embeddings[right]![index]!, 0);
    expect(near(0, 0)).toBeCloseTo(1, 4);
    expect(near(0, 1)).toBeGreaterThan(near(0, 2) + 0.2);
  });
});

describe('a provider that is not set up', () => {
  it('says what to set, and calls nobody', async () => {
    const { openai, azure, anthropic, bedrock, gemini, ollama } = localProviders(mock.url);
    const models = createLanguageModels({
      condense: () => Promise.resolve(''),
      openai: { ...openai, apiKey: null, baseUrl: null },
      azure: { ...azure, apiKey: null, endpoint: null },
      anthropic: { ...anthropic, apiKey: null, baseUrl: null },
      bedrock: { ...bedrock, region: null },
      gemini: { ...gemini, apiKey: null, baseUrl: null },
      ollama: { ...ollama, baseUrl: null },
      compatible: [],
    });
    for (const model of models.values()) {
      if (model.local) continue;
      expect(model.missing).toMatch(/[A-Z_]{8,}/);
      const refusal = { code: 'MODEL_UNSUPPORTED', message: expect.stringContaining(model.missing!) };
      await expect(model.generate(requestOf(model, 'x'), never())).rejects.toMatchObject(refusal);
      await expect(partsOf(model, requestOf(model, 'x'))).rejects.toMatchObject(refusal);
    }
    expect(mock.getRequests()).toHaveLength(0);
  });
});

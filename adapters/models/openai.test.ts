import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { GenerateRequest } from '../../domain/models/generation.ts';
import type { Message } from '../../domain/models/message.ts';
import { localProviders } from '../../tests/model-options.ts';
import { createOpenAi, type OpenAiOptions } from './openai.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
beforeAll(() => mock.start());
afterAll(() => mock.stop());
afterEach(() => void mock.reset());

const never = () => new AbortController().signal;
const openAi = (more: Partial<OpenAiOptions> = {}) => createOpenAi({ ...localProviders(mock.url).openai, ...more });
type Asked = Omit<GenerateRequest, 'messages' | 'model'> & { prompt: string; system?: string; model?: string };
const ask = ({ prompt, system, ...rest }: Asked, model = openAi(), signal = never()) => {
  const messages: Message[] = [{ role: 'user', content: prompt }];
  if (system !== undefined) messages.unshift({ role: 'system', content: system });
  return model.generate({ model: model.defaults.model, messages, ...rest }, signal);
};
const sent = () => mock.getLastRequest()!.body as unknown as Record<string, unknown>;

describe('an answer', () => {
  it('comes with its model, its end and its cost', async () => {
    mock.onMessage('hello', {
      content: 'Hi there!',
      model: 'gpt-4o-mini-2024-07-18',
      usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
    });
    expect(await ask({ prompt: 'hello' })).toEqual({
      content: [{ type: 'text', text: 'Hi there!' }],
      model: 'gpt-4o-mini-2024-07-18',
      finishReason: 'stop',
      usage: { inputTokens: 9, outputTokens: 3, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    });
  });

  it.each([
    ['length', 'length'],
    ['content_filter', 'content-filter'],
    ['tool_calls', 'tool-calls'],
    ['something_new', 'other'],
  ])('says why it ended: %s', async (finishReason, expected) => {
    mock.onMessage('hello', { content: 'Hi', finishReason });
    expect(await ask({ prompt: 'hello' })).toMatchObject({ finishReason: expected });
  });

  it('was asked with everything the request says, the source set apart', async () => {
    mock.onMessage(/Sum up/, { content: 'ok' });
    const request = { prompt: 'Sum up', system: 'Be brief', source: 'Light bends.', model: 'gpt-5', temperature: 0.2 };
    await ask({ ...request, maxOutputTokens: 5 });
    expect(sent()).toMatchObject({
      model: 'gpt-5',
      temperature: 0.2,
      max_tokens: 5,
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Sum up\n\n<source>\nLight bends.\n</source>' },
      ],
    });
  });

  it('was asked with the key of the call, for servers that know it again', async () => {
    mock.onMessage('hello', { content: 'ok' });
    await ask({ prompt: 'hello', idempotencyKey: 'run/node#1' });
    expect(mock.getLastRequest()!.headers).toMatchObject({ 'idempotency-key': 'run/node#1' });
  });

  it('takes model and limit from the settings where the request has none', async () => {
    mock.onMessage('hello', { content: 'ok' });
    await ask({ prompt: 'hello' });
    expect(sent()).toMatchObject({ model: 'gpt-4o-mini', max_tokens: 77 });
    expect(sent()).not.toHaveProperty('temperature');
  });
});

describe('a refusal', () => {
  it.each([
    [401, 'MODEL_AUTH', false],
    [403, 'MODEL_AUTH', false],
    [400, 'MODEL_BAD_REQUEST', false],
    [404, 'MODEL_BAD_REQUEST', false],
    [422, 'MODEL_BAD_REQUEST', false],
    [429, 'MODEL_RATE_LIMITED', true],
    [408, 'MODEL_UNAVAILABLE', true],
    [500, 'MODEL_UNAVAILABLE', true],
    [503, 'MODEL_OVERLOADED', true],
  ])('with status %i is %s, asked once only', async (status, code, retryable) => {
    mock.on({}, { error: { message: 'no', type: 'test' }, status });
    await expect(ask({ prompt: 'x' })).rejects.toMatchObject({ code, retryable });
    expect(mock.getRequests()).toHaveLength(1);
  });

  it('hands on how long to wait', async () => {
    mock.on({}, { error: { message: 'slow down' }, status: 429, retryAfter: 7 });
    await expect(ask({ prompt: 'x' })).rejects.toMatchObject({
      fields: { retryAfterMs: 7_000 },
    });
  });

  it('never shows the key', async () => {
    mock.on({}, { error: { message: 'bad key' }, status: 401 });
    const error: unknown = await ask({ prompt: 'x' }, openAi({ apiKey: 'sk-secret' })).catch(
      (reason: unknown) => reason,
    );
    expect(JSON.stringify([error, String(error)])).not.toContain('sk-secret');
  });

  it('without key and address is final and says what to set', async () => {
    const model = openAi({ apiKey: null, baseUrl: null });
    await expect(ask({ prompt: 'x' }, model)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('OPENAI_API_KEY'),
    });
  });
});

describe('a broken connection', () => {
  it('may be retried when nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const model = openAi({ baseUrl: `http://127.0.0.1:${port}/v1` });
    await expect(ask({ prompt: 'x' }, model)).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it.each(['<html>proxy</html>', '{"choices":[]}', '{}'])('may be retried when the answer is %s', async (body) => {
    const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const model = openAi({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
    await expect(ask({ prompt: 'x' }, model)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    server.closeAllConnections();
    server.close();
  });

  it('is made by cancellation, which reaches the server', async () => {
    const [arrived, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const server = createServer((request) => {
      request.socket.on('close', () => closed.resolve());
      arrived.resolve();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const cancelling = new AbortController();
    const model = openAi({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` });
    const completion = ask({ prompt: 'x' }, model, cancelling.signal);
    await arrived.promise;
    cancelling.abort(new Error('cancelled'));
    await expect(completion).rejects.toThrow('cancelled');
    await closed.promise;
    server.close();
  });
});

import { createHash } from 'node:crypto';
import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createSchemaCheck } from '../../adapters/models/check-schema.ts';
import { listPrices } from '../../adapters/models/list-prices.ts';
import { createLanguageModels } from '../../adapters/models/language-models.ts';
import type { Completion, CompletionInput, EmbedInput, Embeddings } from '../../domain/models/activities.ts';
import type { CallGuard, CallOutcome, ModelCall } from '../../domain/models/call-guard.ts';
import type { TokenEvent, TokenPublisher } from '../../domain/models/token-event.ts';
import { AppError } from '../../domain/errors.ts';
import type { EffectLedger } from '../../domain/tools/effect-ledger.ts';
import { activityEnvironment } from '../../tests/activity-environment.ts';
import { localProviders } from '../../tests/model-options.ts';
import { noLedger } from '../../tests/no-ledger.ts';
import type { CompleteDependencies } from './complete.ts';
import { createModelActivities } from './model-activities.ts';
import { createModelBreakers } from './model-breakers.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
beforeAll(() => mock.start());
afterEach(() => void mock.reset());
afterAll(() => mock.stop());

const dependencies = (more: Partial<CompleteDependencies> = {}): CompleteDependencies => ({
  models: createLanguageModels({ ...localProviders(mock.url), condense: () => Promise.resolve('') }),
  defaultProvider: 'openai',
  defaultEmbeddingProvider: 'offline-lexical',
  effects: noLedger,
  breakers: createModelBreakers(),
  checkSchema: createSchemaCheck(),
  guards: [],
  tokens: null,
  prices: listPrices,
  ...more,
});
const environment = (attempt = 1) =>
  activityEnvironment({ activityId: 'write#1', attempt, workflowExecution: { workflowId: 'run-1', runId: 'r' } });
const complete = (input: CompletionInput, more: Partial<CompleteDependencies> = {}, env = environment()) =>
  env.run<[CompletionInput], Completion, (input: CompletionInput) => Promise<Completion>>(
    createModelActivities(dependencies(more))['model.complete'],
    input,
  );
const asked = () => mock.getRequests().map(({ body }) => (body as unknown as { model: string }).model);

/** Keeps what would be shown. */
function listening(): { tokens: TokenPublisher; events: TokenEvent[] } {
  const events: TokenEvent[] = [];
  return {
    events,
    tokens: { open: () => ({ write: (event) => void events.push(event), close: () => Promise.resolve() }) },
  };
}

function watching(): { guard: CallGuard; calls: ModelCall[]; outcomes: CallOutcome[] } {
  const [calls, outcomes]: [ModelCall[], CallOutcome[]] = [[], []];
  const guard: CallGuard = {
    beforeCall: async (call) => void calls.push(call),
    afterCall: async (_, outcome) => void outcomes.push(outcome),
  };
  return { guard, calls, outcomes };
}
const failFor = (model: string, status: number, more = {}) =>
  mock.on({ model }, { error: { message: 'no' }, status, ...more });

describe('a chain of models', () => {
  const models = ['openai/gpt-4o', 'anthropic/claude-haiku-4-5', 'gemini'];

  it('is asked in its order until one answers, and says who was passed over', async () => {
    failFor('gpt-4o', 503);
    failFor('claude-haiku-4-5', 401);
    mock.onMessage('hello', { content: 'Hi.' });
    expect(await complete({ models, prompt: 'hello' })).toMatchObject({
      text: 'Hi.',
      provider: 'gemini',
      skipped: [
        { provider: 'openai', model: 'gpt-4o', code: 'MODEL_OVERLOADED' },
        { provider: 'anthropic', model: 'claude-haiku-4-5', code: 'MODEL_AUTH' },
      ],
    });
    expect(asked()).toHaveLength(3);
  });

  it('ends with the first where that one answers', async () => {
    mock.onMessage('hello', { content: 'Hi.' });
    expect(await complete({ models, prompt: 'hello' })).not.toHaveProperty('skipped');
    expect(asked()).toEqual(['gpt-4o']);
  });

  it.each([
    [400, 'no such field', 'MODEL_BAD_REQUEST'],
    [400, 'content_filter', 'MODEL_CONTENT_FILTERED'],
  ])('ends where nobody else would do better (%i %s)', async (status, message, type) => {
    mock.on({}, { error: { message }, status });
    await expect(complete({ models, prompt: 'x' })).rejects.toMatchObject({ type, nonRetryable: true });
    expect(asked()).toEqual(['gpt-4o']);
  });

  it('passes over who cannot do what is asked', async () => {
    mock.on({}, { content: '{"n":1}' });
    const answer = await complete({
      models: ['openai/gpt-3.5-turbo', 'openai/gpt-4o'],
      prompt: 'x',
      images: ['data:image/png;base64,AAAA'],
    });
    expect(answer.skipped).toMatchObject([
      { model: 'gpt-3.5-turbo', code: 'MODEL_UNSUPPORTED', detail: expect.stringContaining('images') },
    ]);
    expect(asked()).toEqual(['gpt-4o']);
  });

  it('asks nobody else once something of the answer was seen', async () => {
    mock.on(
      { model: 'gpt-4o' },
      { content: 'word '.repeat(50) },
      { chunkSize: 5, truncateAfterChunks: 9, latency: 10 },
    );
    mock.on({}, { content: 'Hi.' });
    const { tokens, events } = listening();
    await expect(complete({ models, prompt: 'x' }, { tokens })).rejects.toMatchObject({
      type: 'MODEL_UNAVAILABLE',
      nonRetryable: false,
    });
    expect(events.some(({ type }) => type === 'text')).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'MODEL_UNAVAILABLE' });
    expect(asked()).toEqual(['gpt-4o']);
  });

  it('is tried again when the first of all limits is over', async () => {
    failFor('gpt-4o', 429, { retryAfter: 9 });
    failFor('claude-haiku-4-5', 429, { retryAfter: 4 });
    await expect(complete({ models: models.slice(0, 2), prompt: 'x' })).rejects.toMatchObject({
      type: 'MODEL_RATE_LIMITED',
      nextRetryDelay: 4_000,
      details: [{ tried: ['openai/gpt-4o: MODEL_RATE_LIMITED', 'anthropic/claude-haiku-4-5: MODEL_RATE_LIMITED'] }],
    });
  });

  it('leaves a model alone that has failed too often, and tries it again later', async () => {
    let now = 0;
    const policy = { threshold: 2, openMs: 1_000, longestMs: 9_000, trialMs: 500 };
    const breakers = createModelBreakers({ now: () => now, policy });
    mock.on({ model: 'gpt-4o' }, () =>
      now < 1_000 ? { error: { message: 'no' }, status: 500 } : { content: 'Back.' },
    );
    mock.on({}, { content: 'Hi.' });
    for (let call = 0; call < 3; call += 1) {
      expect(await complete({ models, prompt: 'x' }, { breakers })).toMatchObject({ provider: 'anthropic' });
    }
    expect(asked().filter((model) => model === 'gpt-4o')).toHaveLength(2);
    await expect(complete({ model: 'gpt-4o', prompt: 'x' }, { breakers })).rejects.toMatchObject({
      type: 'MODEL_UNAVAILABLE',
      nextRetryDelay: 1_000,
    });
    now = 1_001;
    expect(await complete({ models, prompt: 'x' }, { breakers })).toMatchObject({ provider: 'openai', text: 'Back.' });
  });
});

const SCHEMA = {
  type: 'object',
  properties: { n: { type: 'integer' } },
  required: ['n'],
  additionalProperties: false,
};

describe('structured output', () => {
  it('gives the value', async () => {
    mock.on({}, { content: '{"n":1}' });
    expect(await complete({ prompt: 'x', schema: SCHEMA })).toMatchObject({ text: '{"n":1}', object: { n: 1 } });
    expect(asked()).toHaveLength(1);
  });

  it('is asked for once more when it does not match, and both calls count', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 };
    mock.on({ userMessage: 'does not match' }, { content: '{"n":1}', usage });
    mock.on({}, { content: '{"n":"one"}', usage });
    const { tokens, events } = listening();
    const { guard, calls } = watching();
    const answer = await complete({ prompt: 'x', schema: SCHEMA }, { tokens, guards: [guard] });
    expect(answer).toMatchObject({ object: { n: 1 }, usage: { inputTokens: 20, outputTokens: 4 } });
    const [, repair] = mock.getRequests();
    expect(JSON.stringify(repair!.body)).toContain('/n must be integer');
    expect(events.map(({ type }) => type).filter((type) => type !== 'text')).toEqual([
      'start',
      'reset',
      'start',
      'end',
    ]);
    expect(calls.map(({ purpose }) => purpose)).toEqual(['answer', 'repair']);
  });

  it('fails for good when it does not match then either', async () => {
    mock.on({}, { content: 'I would rather not.' });
    await expect(complete({ prompt: 'x', schema: SCHEMA })).rejects.toMatchObject({
      type: 'MODEL_OUTPUT_INVALID',
      nonRetryable: true,
      message: expect.stringContaining('not JSON'),
    });
    expect(asked()).toHaveLength(2);
  });

  it('is asked for in words where the provider holds to no schema', async () => {
    mock.on({}, { content: '```json\n{"n":1}\n```' });
    expect(await complete({ model: 'gpt-3.5-turbo', prompt: 'x', schema: SCHEMA })).toMatchObject({ object: { n: 1 } });
    expect(JSON.stringify(mock.getLastRequest()!.body)).toContain('Answer with JSON alone');
    expect(mock.getLastRequest()!.body).not.toHaveProperty('response_format');
  });

  it('waits for what tools give', async () => {
    mock.on({}, { toolCalls: [{ name: 'look', arguments: '{}', id: 'c1' }] });
    const answer = await complete({
      prompt: 'x',
      schema: SCHEMA,
      tools: [{ name: 'look', parameters: { type: 'object' } }],
    });
    expect(answer).toMatchObject({ finishReason: 'tool-calls', toolCalls: [{ id: 'c1', name: 'look', input: {} }] });
    expect(answer).not.toHaveProperty('object');
  });
});

describe('what is seen while a model answers', () => {
  it('is the text piece by piece, and the hash of the result at the end', async () => {
    mock.on({}, { content: 'Hello, my friend.' }, { chunkSize: 4 });
    const { tokens, events } = listening();
    const { text } = await complete({ prompt: 'x' }, { tokens });
    expect(events[0]).toEqual({ type: 'start', provider: 'openai', model: 'gpt-4o-mini' });
    expect(events.flatMap((event) => (event.type === 'text' ? [event.text] : [])).join('')).toBe(text);
    expect(events.at(-1)).toMatchObject({
      type: 'end',
      characters: text.length,
      hash: createHash('sha256').update(text).digest('hex'),
    });
  });

  it('begins with a reset when the attempt before may have shown something', async () => {
    mock.on({}, { content: 'Hello.' });
    const { tokens, events } = listening();
    await complete({ prompt: 'x' }, { tokens }, environment(2));
    expect(events.map(({ type }) => type).slice(0, 2)).toEqual(['reset', 'start']);
  });

  it('is nothing where the node says so', async () => {
    mock.on({}, { content: 'Hello.' });
    const { tokens, events } = listening();
    await complete({ prompt: 'x', stream: false }, { tokens });
    expect(events).toEqual([]);
  });
});

describe('the guards of calls', () => {
  it('are asked before every call and told after it, also of those that failed', async () => {
    failFor('gpt-4o', 500);
    mock.on({}, { content: 'Hi.', usage: { input_tokens: 9, output_tokens: 3 } });
    const { guard, calls, outcomes } = watching();
    await complete({ models: ['openai/gpt-4o', 'anthropic'], prompt: 'x' }, { guards: [guard] });
    expect(calls).toMatchObject([
      { provider: 'openai', model: 'gpt-4o', place: { runId: 'run-1', nodeId: 'write', iteration: '1', attempt: 1 } },
      { provider: 'anthropic' },
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(outcomes).toMatchObject([
      { status: 'failed', usage: null, error: { code: 'MODEL_UNAVAILABLE' } },
      { status: 'ok', usage: { inputTokens: 9, outputTokens: 3 }, isEstimated: false, finishReason: 'stop' },
    ]);
  });

  it('keep a call from being made', async () => {
    const refusing: CallGuard = {
      beforeCall: () => Promise.reject(new AppError('MODEL_QUOTA_EXHAUSTED', { provider: 'openai', detail: 'no' })),
      afterCall: () => Promise.resolve(),
    };
    const { guard, outcomes } = watching();
    const refused = complete({ prompt: 'x' }, { guards: [guard, refusing] });
    await expect(refused).rejects.toMatchObject({ type: 'MODEL_QUOTA_EXHAUSTED' });
    expect(outcomes).toMatchObject([{ status: 'failed' }]);
    expect(asked()).toEqual([]);
  });

  it('are told what was used of an answer that was given up in the middle', async () => {
    mock.on({}, { content: 'word '.repeat(400) }, { chunkSize: 20, streamingProfile: { ttft: 0, tps: 50 } });
    const { guard, outcomes } = watching();
    const { tokens, events } = listening();
    const env = environment();
    const running = complete({ prompt: 'Tell me a story' }, { tokens, guards: [guard] }, env);
    while (!events.some(({ type }) => type === 'text')) await new Promise((resolve) => setTimeout(resolve, 5));
    env.cancel();
    await expect(running).rejects.toThrow();
    while (outcomes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(outcomes).toMatchObject([{ status: 'aborted', isEstimated: true }]);
    expect(outcomes[0]!.usage!.inputTokens).toBeGreaterThan(0);
    expect(outcomes[0]!.usage!.outputTokens).toBeGreaterThan(0);
  });
});

describe('model.embed', () => {
  const embed = (input: EmbedInput) =>
    environment().run<[EmbedInput], Embeddings, (input: EmbedInput) => Promise<Embeddings>>(
      createModelActivities(dependencies())['model.embed'],
      input,
    );

  it('gives a vector for each text', async () => {
    const made = await embed({ texts: ['a b', 'c'], dimensions: 8 });
    expect(made).toMatchObject({ provider: 'offline-lexical', model: 'hashed-words', dimensions: 8, usage: null });
    expect(made.embeddings.map((vector) => vector.length)).toEqual([8, 8]);
    expect((await embed({ provider: 'openai', texts: 'one' })).embeddings).toHaveLength(1);
  });

  it.each<[string, EmbedInput, string]>([
    ['an empty text', { texts: [''] }, 'CONFIG_INVALID'],
    ['no texts', { texts: [] }, 'CONFIG_INVALID'],
    ['a provider without embeddings', { provider: 'anthropic', texts: 'x' }, 'MODEL_UNSUPPORTED'],
  ])('refuses %s', async (_, input, type) => {
    await expect(embed(input)).rejects.toMatchObject({ type, nonRetryable: true });
  });
});

describe('what was answered before', () => {
  it('is shown whole where nothing of it was shown', async () => {
    const kept: EffectLedger = {
      begin: () =>
        Promise.resolve({
          act: 'return',
          receipt: { text: 'Hello.', provider: 'openai', model: 'gpt-4o', finishReason: 'stop', usage: null },
        }),
      finish: () => Promise.resolve(),
    };
    const { tokens, events } = listening();
    await complete({ prompt: 'x' }, { tokens, effects: kept }, environment(2));
    expect(events.map(({ type }) => type)).toEqual(['reset', 'start', 'text', 'end']);
    expect(asked()).toEqual([]);
  });
});

import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { listPrices } from '../../adapters/models/list-prices.ts';
import { createLanguageModels } from '../../adapters/models/language-models.ts';
import { createTextThreads } from '../../adapters/text/text-threads.ts';
import type { CompletionInput } from '../../domain/models/activities.ts';
import { noLedger } from '../../tests/no-ledger.ts';
import { localProviders } from '../../tests/model-options.ts';
import { createSchemaCheck } from '../../adapters/models/check-schema.ts';
import type { CompleteDependencies } from './complete.ts';
import { createModelActivities } from './model-activities.ts';
import { createModelBreakers } from './model-breakers.ts';
import { activityEnvironment } from '../../tests/activity-environment.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
const text = createTextThreads({ threads: 1 });
beforeAll(() => mock.start());
afterEach(() => void mock.reset());
afterAll(() => Promise.all([mock.stop(), text.close()]));

const dependencies = (more: Partial<CompleteDependencies> = {}): CompleteDependencies => ({
  models: createLanguageModels({
    ...localProviders(mock.url),
    condense: (job, signal) => text.run('condense', job, signal),
  }),
  defaultProvider: 'offline-extractive',
  defaultEmbeddingProvider: 'offline-lexical',
  effects: noLedger,
  breakers: createModelBreakers(),
  checkSchema: createSchemaCheck(),
  guards: [],
  tokens: null,
  prices: listPrices,
  ...more,
});
const complete = (input: CompletionInput, more: Partial<CompleteDependencies> = {}) =>
  activityEnvironment().run(createModelActivities(dependencies(more))['model.complete'], input);

describe('model.complete', () => {
  it('renders prompt and system over the values and asks the provider that is named', async () => {
    mock.onMessage('Brief me on "light" & <colour>', { content: 'Done.' });
    const completion = await complete({
      provider: 'openai',
      prompt: 'Brief me on {{topic}}',
      system: 'Answer in {{language}}.',
      values: { topic: '"light" & <colour>', language: 'English' },
    });
    expect(completion).toMatchObject({ provider: 'openai', text: 'Done.', finishReason: 'stop' });
    expect(mock.getLastRequest()!.body).toMatchObject({
      messages: [{ role: 'system', content: 'Answer in English.' }, { role: 'user' }],
    });
  });

  it('asks the default provider where none is named', async () => {
    const source = 'Glass bends light. Wheat needs rain in April.';
    expect(await complete({ prompt: 'What needs rain?', source, maxOutputTokens: 8 })).toMatchObject({
      provider: 'offline-extractive',
      text: 'Wheat needs rain in April.',
    });
  });

  it.each<[string, CompletionInput, string]>([
    ['an unknown provider', { provider: 'oracle', prompt: 'x' }, 'MODEL_UNSUPPORTED'],
    ['a template over a missing value', { prompt: '{{missing}}' }, 'TEMPLATE_FAILED'],
    ['free writing offline', { prompt: 'Write a poem' }, 'MODEL_UNSUPPORTED'],
  ])('refuses %s for good', async (_, input, type) => {
    await expect(complete(input)).rejects.toMatchObject({ type, nonRetryable: true });
  });

  it('waits as long as a busy provider asks', async () => {
    mock.on({}, { error: { message: 'slow down' }, status: 429, retryAfter: 3 });
    await expect(complete({ provider: 'openai', prompt: 'x' })).rejects.toMatchObject({
      type: 'MODEL_RATE_LIMITED',
      nonRetryable: false,
      nextRetryDelay: 3_000,
    });
  });
});

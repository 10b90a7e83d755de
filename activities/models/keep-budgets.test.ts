import { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createSchemaCheck } from '../../adapters/models/check-schema.ts';
import { createLanguageModels } from '../../adapters/models/language-models.ts';
import { listPrices } from '../../adapters/models/list-prices.ts';
import type { Completion, CompletionInput } from '../../domain/models/activities.ts';
import type { Amounts, BudgetLedger, BudgetRefusal, Reservation } from '../../domain/models/budget-ledger.ts';
import { activityEnvironment } from '../../tests/activity-environment.ts';
import { localProviders } from '../../tests/model-options.ts';
import { noLedger } from '../../tests/no-ledger.ts';
import { keepBudgets } from './keep-budgets.ts';
import { createModelActivities } from './model-activities.ts';
import { createModelBreakers } from './model-breakers.ts';

const mock = new LLMock({ port: 0, logLevel: 'silent' });
beforeAll(() => mock.start());
afterEach(() => void mock.reset());
afterAll(() => mock.stop());

const REFUSAL: BudgetRefusal = {
  ...{ budgetId: 'day', scope: 'TENANT', target: '', period: 'DAY', unit: 'TOKENS', limit: 1_000 },
  ...{ spent: 1_000, reserved: 0, asked: 90, action: 'BLOCK', downgradeTo: null },
};

/** A ledger with one answer for each model, which writes down what it is told. */
function ask(
  input: Partial<CompletionInput>,
  refusals: { [model: string]: Partial<BudgetRefusal> },
  info: object = {},
) {
  const reserved: Reservation[] = [];
  const settled: Amounts[] = [];
  const ledger: BudgetLedger = {
    async reserve(reservation) {
      reserved.push(reservation);
      const refusal = refusals[reservation.model];
      return refusal
        ? { admitted: false, refusals: [{ ...REFUSAL, ...refusal }] }
        : { admitted: true, isCounted: true };
    },
    async settle(_, amounts) {
      settled.push(amounts);
    },
  };
  const models = createLanguageModels({ ...localProviders(mock.url), condense: () => Promise.resolve('A text.') });
  const options = {
    ledger,
    prices: listPrices,
    maxOutputTokensOf: () => 77,
    isLocal: (name: string) => name.startsWith('offline'),
  };
  const activities = createModelActivities({
    ...{ models, defaultProvider: 'openai', defaultEmbeddingProvider: 'openai', effects: noLedger, tokens: null },
    ...{
      breakers: createModelBreakers(),
      checkSchema: createSchemaCheck(),
      guards: [keepBudgets(options)],
      prices: listPrices,
    },
  });
  const answer = activityEnvironment({ workflowType: 'run', ...info }).run<
    [CompletionInput],
    Completion,
    (input: CompletionInput) => Promise<Completion>
  >(activities['model.complete'], { prompt: 'Hello there', ...input });
  return { answer, reserved, settled };
}

describe('a call within budgets', () => {
  it('reserves what it may need at most and settles what it came to', async () => {
    mock.on({}, { content: 'Hi.', usage: { input_tokens: 9, output_tokens: 3 } });
    const { answer, reserved, settled } = ask({}, {});
    await answer;
    expect(reserved).toMatchObject([{ provider: 'openai', model: 'gpt-4o-mini', attempt: 1 }]);
    expect(reserved[0]?.amounts.tokens).toBeGreaterThan(80);
    expect(settled).toEqual([{ tokens: 12, microUsd: 3 }]);
  });

  it('gives all back when the call fails before anything came', async () => {
    mock.nextRequestError(500);
    const { answer, settled } = ask({}, {});
    await expect(answer).rejects.toMatchObject({ type: 'MODEL_UNAVAILABLE' });
    expect(settled).toEqual([{ tokens: 0, microUsd: 0 }]);
  });

  it('is not counted where the model runs here', async () => {
    const { answer, reserved } = ask({ provider: 'offline-extractive', source: 'A text.' }, {});
    await answer;
    expect(reserved).toEqual([]);
  });
});

describe('a call that does not fit', () => {
  it('fails for good under BLOCK', async () => {
    await expect(ask({}, { 'gpt-4o-mini': {} }).answer).rejects.toMatchObject({
      type: 'BUDGET_EXCEEDED',
      nonRetryable: true,
    });
  });

  it('asks the cheaper model under DOWNGRADE, and says so', async () => {
    mock.on({}, { content: 'Hi.', usage: { input_tokens: 9, output_tokens: 3 } });
    const { answer } = ask(
      { models: ['openai/gpt-4o-mini', 'anthropic'] },
      {
        'gpt-4o-mini': { action: 'DOWNGRADE', downgradeTo: 'lab/qwen3' },
      },
    );
    expect(await answer).toMatchObject({
      provider: 'lab',
      skipped: [{ provider: 'openai', model: 'gpt-4o-mini', code: 'MODEL_DOWNGRADED' }],
    });
  });

  it('asks nobody when two budgets send it to each other', async () => {
    const { answer, reserved } = ask(
      {},
      {
        'gpt-4o-mini': { action: 'DOWNGRADE', downgradeTo: 'lab/qwen3' },
        qwen3: { action: 'DOWNGRADE', downgradeTo: 'openai/gpt-4o-mini' },
      },
    );
    await expect(answer).rejects.toMatchObject({ type: 'MODEL_DOWNGRADED' });
    expect(reserved.length).toBeLessThanOrEqual(3);
  });

  it('waits for the next window under PARK, for an hour at most at a time', async () => {
    const { answer } = ask({}, { 'gpt-4o-mini': { action: 'PARK', period: 'MONTH' } });
    const failure = await answer.then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ type: 'CALL_PARKED', nonRetryable: true });
    const [{ until, opensAt }] = (failure as { details: [{ until: number; opensAt: string }] }).details;
    expect(until).toBeLessThan(Date.now() + 3_700_000);
    expect(opensAt).toMatch(/T00:00:00\.\d+Z$|T23:59:59\.9/);
  });

  it('waits for calls under way when they alone stand in its way', async () => {
    const { answer } = ask({}, { 'gpt-4o-mini': { spent: 500, reserved: 450 } });
    await expect(answer).rejects.toMatchObject({ type: 'CALL_PARKED' });
  });

  it('waits by its retry policy in a workflow written by hand', async () => {
    const { answer } = ask({}, { 'gpt-4o-mini': { action: 'PARK' } }, { workflowType: 'own' });
    await expect(answer).rejects.toMatchObject({ type: 'MODEL_RATE_LIMITED', nonRetryable: false });
  });
});

describe('a rate limit of the vendor', () => {
  const limited = (attempt: number) => {
    mock.nextRequestError(429, { message: 'slow down', type: 'rate_limit_error' });
    return ask({}, {}, { attempt, retryPolicy: { maximumAttempts: 5 } }).answer;
  };

  it('is waited for by attempts, and when they are used up by a timer of the run', async () => {
    await expect(limited(4)).rejects.toMatchObject({ type: 'MODEL_RATE_LIMITED' });
    await expect(limited(5)).rejects.toMatchObject({ type: 'CALL_PARKED', nonRetryable: true });
  });
});

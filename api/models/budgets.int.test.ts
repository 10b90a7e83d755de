import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Doors, openDoors } from '../../tests/doors.ts';

const SAVE = `mutation ($input: BudgetInput!) { saveBudget(input: $input) {
  id scope target period unit limit action downgradeTo warnAt enabled revision } }`;
let doors: Doors;
beforeAll(async () => {
  doors = await openDoors();
}, 120_000);
afterAll(() => doors?.close());

const codeOf = async (input: object) => (await doors.ask(SAVE, { input })).errors?.[0].extensions.code;

describe('budgets through the graph', () => {
  it('are made, changed in part, listed and removed, and each change is an event', async () => {
    const made = { id: 'day', scope: 'TENANT', period: 'DAY', unit: 'MICRO_USD', limit: 5_000_000 };
    const { data } = await doors.ask(SAVE, { input: made });
    const rest = { target: null, action: 'BLOCK', downgradeTo: null, warnAt: [50, 80, 95], enabled: true, revision: 1 };
    expect(data.saveBudget).toEqual({ ...made, ...rest });
    const downgrade = { id: 'day', action: 'DOWNGRADE', downgradeTo: 'openai/gpt-5-nano' };
    expect((await doors.ask(SAVE, { input: downgrade })).data.saveBudget).toEqual({
      ...{ ...made, ...rest, ...downgrade },
      revision: 2,
    });
    expect((await doors.ask('{ budgets { id use { spent } } }')).data.budgets).toEqual([{ id: 'day', use: [] }]);
    expect((await doors.ask('mutation { removeBudget(id: "day") }')).data.removeBudget).toBe(true);
    expect((await doors.ask('mutation { removeBudget(id: "day") }')).errors?.[0].extensions.code).toBe('NOT_FOUND');
    const { rows } = await doors.pool.query(`SELECT type FROM events WHERE type LIKE 'budget.%' ORDER BY position`);
    expect(rows.map(({ type }) => type)).toEqual(['budget.created', 'budget.changed', 'budget.removed']);
  }, 60_000);

  it('that make no sense are refused', async () => {
    const fine = { id: 'x', scope: 'RUN', period: 'DAY', unit: 'TOKENS', limit: 10 };
    expect(await codeOf({ id: 'x' })).toBe('INPUT_INVALID');
    expect(await codeOf({ ...fine, id: 'No Way' })).toBe('INPUT_INVALID');
    expect(await codeOf({ ...fine, limit: 0.5 })).toBe('INPUT_INVALID');
    expect(await codeOf({ ...fine, period: 'TOTAL', action: 'PARK' })).toBe('INPUT_INVALID');
    expect(await codeOf({ ...fine, action: 'DOWNGRADE' })).toBe('INPUT_INVALID');
    expect(await codeOf({ ...fine, scope: 'TENANT', target: 'me' })).toBe('INPUT_INVALID');
    expect(await codeOf(fine)).toBeUndefined();
    expect(await codeOf({ id: 'x', period: 'WEEK' })).toBe('INPUT_INVALID');
  });
});

describe('prices and quotas through the graph', () => {
  it('are set, listed and removed, and each change is an event', async () => {
    const price = {
      provider: 'lab',
      model: 'qwen3*',
      input: 100_000,
      output: 400_000,
      cacheRead: 10_000,
      cacheWrite: null,
    };
    const save = 'mutation ($input: ModelPriceInput!) { saveModelPrice(input: $input) { provider } }';
    expect((await doors.ask(save, { input: price })).errors).toBeUndefined();
    expect((await doors.ask(save, { input: { ...price, input: -1 } })).errors?.[0].extensions.code).toBe(
      'INPUT_INVALID',
    );
    const prices = '{ modelPrices { provider model input output cacheRead cacheWrite } }';
    expect((await doors.ask(prices)).data.modelPrices).toEqual([price]);
    const limit = 'mutation ($input: ProviderQuotaInput!) { saveProviderQuota(input: $input) { provider model } }';
    const quota = await doors.ask(limit, { input: { provider: 'lab', requestsPerMinute: 30 } });
    expect(quota.data.saveProviderQuota).toEqual({ provider: 'lab', model: '' });
    expect((await doors.ask(limit, { input: { provider: 'lab' } })).errors?.[0].extensions.code).toBe('INPUT_INVALID');
    const quotas = '{ providerQuotas { provider model requestsPerMinute tokensPerMinute } }';
    expect((await doors.ask(quotas)).data.providerQuotas).toMatchObject([
      { requestsPerMinute: 30, tokensPerMinute: null },
    ]);
    const remove = `mutation { removeModelPrice(provider: "lab", model: "qwen3*") removeProviderQuota(provider: "lab") }`;
    expect((await doors.ask(remove)).data).toEqual({ removeModelPrice: true, removeProviderQuota: true });
    expect((await doors.ask(remove)).errors?.[0].extensions.code).toBe('NOT_FOUND');
    const { rows } = await doors.pool.query(
      `SELECT type FROM events WHERE type ~ '^(model_price|provider_quota)' ORDER BY position`,
    );
    const types = rows.map(({ type }) => String(type));
    expect(types.toSorted((a, b) => a.localeCompare(b))).toEqual([
      ...['model_price.removed', 'model_price.saved', 'provider_quota.removed', 'provider_quota.saved'],
    ]);
  }, 60_000);
});

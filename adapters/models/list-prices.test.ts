import { describe, expect, it } from '@jest/globals';
import { NO_TOKENS } from '../../domain/models/generation.ts';
import { listPrices } from './list-prices.ts';

const at = new Date('2026-11-24T00:00:00Z');
const cost = (provider: string, model: string, usage: object) =>
  listPrices.costMicroUsd({ provider, model, usage: { ...NO_TOKENS, ...usage } }, at);

describe('list prices', () => {
  it('are those of a million tokens, in whole millionths of a dollar', () => {
    expect(cost('openai', 'gpt-4o', { inputTokens: 1_000_000 })).toBe(2_500_000);
    expect(cost('openai', 'gpt-4o', { outputTokens: 1_000 })).toBe(10_000);
    expect(cost('azure-openai', 'gpt-4o', { inputTokens: 1_000_000 })).toBe(2_500_000);
    expect(cost('bedrock', 'anthropic.claude-3-haiku-20240307-v1:0', { inputTokens: 1_000_000 })).toBe(250_000);
  });

  it('count what came from a cache as such', () => {
    const usage = { inputTokens: 1_000_000, cacheReadTokens: 1_000_000 };
    expect(cost('openai', 'gpt-4o', usage)).toBe(1_250_000);
  });

  it('are nothing for what runs here, and unknown for what nobody lists or nobody counted', () => {
    expect(cost('offline-extractive', 'extractive', { inputTokens: 5 })).toBe(0);
    expect(cost('ours', 'no-such-model', { inputTokens: 5 })).toBeNull();
    expect(listPrices.costMicroUsd({ provider: 'openai', model: 'gpt-4o', usage: null }, at)).toBeNull();
  });
});

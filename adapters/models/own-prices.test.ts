import { describe, expect, it } from '@jest/globals';
import { NO_TOKENS } from '../../domain/models/generation.ts';
import type { ModelPrice } from '../../domain/models/model-rules.ts';
import { listPrices } from './list-prices.ts';
import { ownPrices } from './own-prices.ts';

const ROWS: ModelPrice[] = [
  { provider: 'lab', model: '*', input: 1_000_000, output: 2_000_000, cacheRead: null, cacheWrite: null },
  { provider: 'lab', model: 'qwen3*', input: 100_000, output: 400_000, cacheRead: 10_000, cacheWrite: 200_000 },
  { provider: 'openai', model: 'gpt-4o-mini', input: 0, output: 0, cacheRead: null, cacheWrite: null },
];
const usage = { ...NO_TOKENS, inputTokens: 1_000, outputTokens: 100, cacheReadTokens: 500, cacheWriteTokens: 100 };
const cost = (provider: string, model: string, unknown: 'warn' | 'zero' = 'warn') =>
  ownPrices(listPrices, () => ROWS, unknown).costMicroUsd({ provider, model, usage }, new Date('2026-11-01'));

describe('prices of our own', () => {
  it('count before those of the list, the one that says most of the model first', () => {
    expect(cost('lab', 'qwen3-32b')).toBe(40 + 5 + 20 + 40);
    expect(cost('lab', 'other')).toBe(1_000 + 200);
    expect(cost('openai', 'gpt-4o-mini')).toBe(0);
    expect(cost('openai', 'gpt-4o')).toBeGreaterThan(0);
  });

  it('leave a cost open that nobody knows, or make it nothing', () => {
    expect(cost('nobody', 'no-such-model-at-all')).toBeNull();
    expect(cost('nobody', 'no-such-model-at-all', 'zero')).toBe(0);
  });
});

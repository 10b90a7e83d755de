import { AppError } from '../errors.ts';
import type { TokenUsage } from './generation.ts';

/** A price that counts in place of the list's, in micro-USD for a million tokens. */
export type ModelPrice = {
  provider: string;
  /** One that ends with `*` is for all models that begin so; the longest that fits counts. */
  model: string;
  input: number;
  output: number;
  /** Null: as `input`. */
  cacheRead: number | null;
  cacheWrite: number | null;
};

/** What a provider takes in any minute, of all workers together; null: no limit. */
export type ProviderQuota = {
  provider: string;
  /** Empty: of all its models together. */
  model: string;
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
};

/** What becomes of a call whose price nobody knows: it is not made, counts as free, or that and it is said. */
export type UnknownPrice = 'block' | 'zero' | 'warn';

const MILLION = 1_000_000;

/** @throws INPUT_INVALID */
export function checkModelPrice({ provider, model, ...amounts }: ModelPrice): void {
  checkName('provider', provider);
  checkName('model', model);
  for (const [name, amount] of Object.entries(amounts)) {
    if (amount !== null && !(Number.isSafeInteger(amount) && amount >= 0))
      refuse(name, 'must be a whole number, 0 or more');
  }
}

/** @throws INPUT_INVALID */
export function checkProviderQuota({ provider, model, ...limits }: ProviderQuota): void {
  checkName('provider', provider);
  if (model !== '') checkName('model', model);
  for (const [name, limit] of Object.entries(limits)) {
    if (limit !== null && !(Number.isInteger(limit) && limit > 0 && limit < 2 ** 31))
      refuse(name, 'must be a whole number, 1 or more');
  }
  if (limits.requestsPerMinute === null && limits.tokensPerMinute === null)
    refuse('requestsPerMinute', 'or tokensPerMinute is needed');
}

function checkName(field: string, name: string): void {
  if (!/^[^\s\p{Cc}]{1,200}$/u.test(name)) refuse(field, 'must be a name without spaces, at most 200');
}

function refuse(field: string, message: string): never {
  throw new AppError('INPUT_INVALID', { detail: `${field} ${message}`, paths: [{ path: `/${field}`, message }] });
}

export function priceOf(
  prices: readonly ModelPrice[],
  { provider, model }: { provider: string; model: string },
): ModelPrice | undefined {
  const fits = (pattern: string) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern;
  return prices
    .filter((price) => price.provider === provider && fits(price.model))
    .toSorted((left, right) => rankOf(right.model) - rankOf(left.model))[0];
}

/** One model before any of many. */
const rankOf = (pattern: string): number => pattern.length + (pattern.endsWith('*') ? 0 : 1_000);

export function costOf(price: ModelPrice, usage: TokenUsage): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  const plain = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  const total =
    plain * price.input +
    cacheReadTokens * (price.cacheRead ?? price.input) +
    cacheWriteTokens * (price.cacheWrite ?? price.input) +
    outputTokens * price.output;
  return Math.round(total / MILLION);
}

import { calcPrice } from '@pydantic/genai-prices';
import type { ModelPrices } from '../../domain/models/model-prices.ts';

/** Our providers, as the price list calls them. Others are found by the model's name alone. */
const LISTED_AS: Readonly<Record<string, string>> = {
  openai: 'openai',
  'openai-responses': 'openai',
  'azure-openai': 'azure',
  anthropic: 'anthropic',
  bedrock: 'aws',
  gemini: 'google',
};
/** Nobody is paid for what runs here. */
const LOCAL = new Set(['offline-extractive', 'offline-lexical', 'ollama']);
const MICRO = 1_000_000;

/** The list that comes with the package: nothing is fetched. */
export const listPrices: ModelPrices = {
  costMicroUsd({ provider, model, usage }, at) {
    if (usage === null) return null;
    if (LOCAL.has(provider)) return 0;
    const counted = {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
    };
    const providerId = LISTED_AS[provider];
    const price = calcPrice(counted, model, { timestamp: at, ...(providerId === undefined ? {} : { providerId }) });
    return price === null ? null : Math.round(price.total_price * MICRO);
  },
};

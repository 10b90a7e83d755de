import { AppError } from '../../domain/errors.ts';
import type { CallGuard } from '../../domain/models/call-guard.ts';
import type { ModelPrices } from '../../domain/models/model-prices.ts';
import type { UnknownPrice } from '../../domain/models/model-rules.ts';
import { reservedUsage } from '../../domain/models/reserved-tokens.ts';

export type QuotaOptions = {
  /** Gives 0 when the call may be made, else the ms after which it may be asked again. */
  take: (call: { runId: string; provider: string; model: string; tokens: number }) => Promise<number>;
  maxOutputTokensOf: (provider: string) => number;
};

/** So short a wait is not worth the events of a run. */
const SHORT_MS = 1_000;
const SPREAD_MS = 1_000;

/** Keeps calls within what a provider takes in a minute; one for which there is no room waits, however long. */
export function keepQuotas({ take, maxOutputTokensOf }: QuotaOptions): CallGuard {
  return {
    async beforeCall(call) {
      const { place, provider, model } = call;
      if (place === null) return;
      const { inputTokens, outputTokens } = reservedUsage(call, maxOutputTokensOf(provider));
      const asked = { runId: place.runId, provider, model, tokens: inputTokens + outputTokens };
      let wait = await take(asked);
      if (wait > 0 && wait <= SHORT_MS) {
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = await take(asked);
      }
      if (wait === 0) return;
      const until = Date.now() + wait + Math.ceil(Math.random() * SPREAD_MS);
      const detail = `the quota of ${provider}/${model} is used up`;
      throw new AppError('CALL_PARKED', { until, opensAt: new Date(until).toISOString(), detail });
    },
    afterCall: () => Promise.resolve(),
  };
}

export type PriceOptions = {
  prices: ModelPrices;
  unknown: UnknownPrice;
  maxOutputTokensOf: (provider: string) => number;
  onUnknown: (model: { provider: string; model: string }) => void;
};

/** Says of calls whose price nobody knows, or refuses them. */
export function knowPrices({ prices, unknown, maxOutputTokensOf, onUnknown }: PriceOptions): CallGuard {
  const said = new Set<string>();
  return {
    async beforeCall(call) {
      const { provider, model } = call;
      const usage = reservedUsage(call, maxOutputTokensOf(provider));
      if (unknown === 'zero' || prices.costMicroUsd({ provider, model, usage }, new Date()) !== null) return;
      if (unknown === 'block') throw new AppError('MODEL_PRICE_UNKNOWN', { provider, model });
      const name = `${provider}/${model}`;
      if (!said.has(name)) onUnknown({ provider, model });
      said.add(name);
    },
    afterCall: () => Promise.resolve(),
  };
}

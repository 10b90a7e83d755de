import { Counter, type Registry } from 'prom-client';
import type { CallGuard } from '../domain/models/call-guard.ts';
import type { ModelPrices } from '../domain/models/model-prices.ts';

/** `weft_model_*`: calls, tokens and cost of this process, by provider and model. */
export function countModelCalls(registry: Registry, prices: ModelPrices): CallGuard {
  const registers = [registry];
  const calls = new Counter({
    ...{
      name: 'weft_model_calls_total',
      help: 'Calls of models.',
      labelNames: ['provider', 'model', 'outcome'],
      registers,
    },
  });
  const tokens = new Counter({
    ...{
      name: 'weft_model_tokens_total',
      help: 'Tokens; cached ones are part of input, reasoning of output.',
      registers,
    },
    labelNames: ['provider', 'model', 'kind'],
  });
  const cost = new Counter({
    ...{ name: 'weft_model_cost_usd_total', help: 'Cost in US dollars, as far as prices are known.', registers },
    labelNames: ['provider', 'model'],
  });
  const seconds = new Counter({
    ...{ name: 'weft_model_seconds_total', help: 'Time from requests to answers.', registers },
    labelNames: ['provider', 'model'],
  });
  return {
    async afterCall({ provider }, { status, model, usage, startedAt, durationMs }) {
      const of = { provider, model };
      calls.inc({ ...of, outcome: status });
      seconds.inc(of, durationMs / 1_000);
      if (usage === null) return;
      const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } = usage;
      const kinds = { input: inputTokens, output: outputTokens, reasoning: reasoningTokens };
      for (const [kind, count] of Object.entries({
        ...kinds,
        cache_read: cacheReadTokens,
        cache_write: cacheWriteTokens,
      })) {
        tokens.inc({ ...of, kind }, count);
      }
      cost.inc(of, (prices.costMicroUsd({ provider, model, usage }, startedAt) ?? 0) / 1e6);
    },
  };
}

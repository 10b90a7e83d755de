import type { ModelPrices } from '../../domain/models/model-prices.ts';
import { costOf, type ModelPrice, priceOf, type UnknownPrice } from '../../domain/models/model-rules.ts';

/** Prices of our own before those of the list. `rows` gives them as they are known at the time. */
export function ownPrices(list: ModelPrices, rows: () => readonly ModelPrice[], unknown: UnknownPrice): ModelPrices {
  return {
    costMicroUsd(call, at) {
      if (call.usage === null) return null;
      const own = priceOf(rows(), call);
      if (own) return costOf(own, call.usage);
      return list.costMicroUsd(call, at) ?? (unknown === 'zero' ? 0 : null);
    },
  };
}

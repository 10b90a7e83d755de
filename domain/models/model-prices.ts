import type { TokenUsage } from './generation.ts';

export interface ModelPrices {
  /**
   * What a call cost, in millionths of a US dollar (whole ones), by the list prices of that day; null where no price is known or
   * nothing was counted.
   */
  costMicroUsd(call: { provider: string; model: string; usage: TokenUsage | null }, at: Date): number | null;
}

import type pg from 'pg';
import type { Logger } from 'pino';
import { listPrices } from '../adapters/models/list-prices.ts';
import { ownPrices } from '../adapters/models/own-prices.ts';
import { listModelPrices, listProviderQuotas, takeQuota } from '../adapters/postgres/model-rules-store.ts';
import type { Settings } from '../config/settings.ts';
import type { ModelPrices } from '../domain/models/model-prices.ts';
import type { ModelPrice, ProviderQuota, UnknownPrice } from '../domain/models/model-rules.ts';

const REFRESH_MS = 5_000;

export type ModelRules = {
  prices: ModelPrices;
  unknownPrice: UnknownPrice;
  takeQuota: (call: { runId: string; provider: string; model: string; tokens: number }) => Promise<number>;
  close: () => void;
};

/** Prices and quotas as this process knows them: what is changed counts after some seconds. */
export async function openModelRules(
  database: pg.Pool,
  { WEFT_MODEL_UNKNOWN_PRICE }: Pick<Settings, 'WEFT_MODEL_UNKNOWN_PRICE'>,
  log: Logger,
): Promise<ModelRules> {
  let prices: readonly ModelPrice[] = [];
  let quotas: readonly ProviderQuota[] = [];
  const refresh = async () => {
    [prices, quotas] = await Promise.all([listModelPrices(database), listProviderQuotas(database)]);
  };
  await refresh();
  const timer = setInterval(() => {
    refresh().catch((error: unknown) => log.warn({ err: error }, 'prices and quotas of models were not read'));
  }, REFRESH_MS);
  timer.unref();
  const unknownPrice = WEFT_MODEL_UNKNOWN_PRICE as UnknownPrice;
  return {
    prices: ownPrices(listPrices, () => prices, unknownPrice),
    unknownPrice,
    takeQuota: async (call) =>
      quotas.some(({ provider, model }) => provider === call.provider && (model === '' || model === call.model))
        ? takeQuota(database, call)
        : 0,
    close: () => clearInterval(timer),
  };
}

import { untilLeft } from '../../adapters/graphql/until-left.ts';
import type { TokenRecord } from '../../domain/models/token-event.ts';
import { listModelPrices, listProviderQuotas } from '../../adapters/postgres/model-rules-store.ts';
import type { ModelPrice, ProviderQuota } from '../../domain/models/model-rules.ts';
import { removeRule, setModelPrice, setProviderQuota } from './model-rules.ts';
import type { RunsContext } from '../runs/resolvers.ts';
import { listModels, type ModelsDeps, testModel } from './model-operations.ts';
import { cursorText, parseCursor } from './stream-routes.ts';
import { watchTokens } from './watch-tokens.ts';

type ModelName = { provider: string; model: string };
type NodeTokens = { runId: string; nodeId: string; path?: string | null; after?: string | null };

export function modelsResolvers(deps: ModelsDeps) {
  const { systemPool: pool } = deps;
  return {
    Query: {
      models: () => listModels(deps),
      modelPrices: () => listModelPrices(pool),
      providerQuotas: () => listProviderQuotas(pool),
    },
    Mutation: {
      testModel: (_: unknown, input: { provider: string; model?: string | null }) => testModel(deps, input),
      saveModelPrice: (_: unknown, { input }: { input: ModelPrice }, { principal }: RunsContext) =>
        setModelPrice({ pool }, principal, input),
      removeModelPrice: (_: unknown, of: ModelName, { principal }: RunsContext) =>
        removeRule({ pool }, principal, 'model_price', of),
      saveProviderQuota: (_: unknown, { input }: { input: ProviderQuota }, { principal }: RunsContext) =>
        setProviderQuota({ pool }, principal, input),
      removeProviderQuota: (_: unknown, of: ModelName, { principal }: RunsContext) =>
        removeRule({ pool }, principal, 'provider_quota', of),
    },
    Subscription: {
      nodeTokens: {
        resolve: tokenView,
        subscribe: (_: unknown, { runId, nodeId, path, after }: NodeTokens, { principal }: RunsContext) => {
          const place = { runId, nodeId, iteration: path ?? undefined, after: parseCursor(after, 'after') };
          return untilLeft((signal) => watchTokens(deps.watchDepsOf(principal), principal, place, signal));
        },
      },
    },
  };
}

function tokenView(record: TokenRecord) {
  const { attempt, event } = record;
  const fields = event as Partial<Record<'text' | 'provider' | 'model' | 'hash' | 'finishReason', string>>;
  return {
    ...{ attempt, event, cursor: cursorText(record), type: event.type.toUpperCase().replace('-', '_') },
    ...{ text: fields.text, provider: fields.provider, model: fields.model },
    ...{ hash: fields.hash, finishReason: fields.finishReason },
  };
}

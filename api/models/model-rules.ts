import {
  deleteModelPrice,
  deleteProviderQuota,
  saveModelPrice,
  saveProviderQuota,
} from '../../adapters/postgres/model-rules-store.ts';
import { AppError } from '../../domain/errors.ts';
import {
  checkModelPrice,
  checkProviderQuota,
  type ModelPrice,
  type ProviderQuota,
} from '../../domain/models/model-rules.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from '../runs/deps.ts';
import { changed } from '../runs/recorded-changes.ts';

/** They are of all tenants, so they are kept past the tenants' policies. */
type Deps = { pool: RunsDeps['pool'] };
type Given<Row> = { [Field in keyof Row]: Row[Field] | undefined };
type ById = { provider: string; model: string };

/** @throws INPUT_INVALID */
export async function setModelPrice(deps: Deps, principal: Principal, input: Given<ModelPrice>): Promise<ModelPrice> {
  const price = { ...input, cacheRead: input.cacheRead ?? null, cacheWrite: input.cacheWrite ?? null } as ModelPrice;
  checkModelPrice(price);
  const { provider, model, input: read, output } = price;
  const event = { provider, model, input: read, output, by: principal.subject };
  return changed(
    deps,
    principal,
    async (client) => {
      await saveModelPrice(client, price);
      return price;
    },
    () => ({ type: 'model_price.saved', id: `${provider}/${model}`, payload: event }),
  );
}

/** @throws INPUT_INVALID */
export async function setProviderQuota(
  deps: Deps,
  principal: Principal,
  input: Given<ProviderQuota>,
): Promise<ProviderQuota> {
  const { provider = '', model = '', requestsPerMinute = null, tokensPerMinute = null } = input;
  const quota = { provider, model, requestsPerMinute, tokensPerMinute };
  checkProviderQuota(quota);
  return changed(
    deps,
    principal,
    async (client) => {
      await saveProviderQuota(client, quota);
      return quota;
    },
    () => ({ type: 'provider_quota.saved', id: `${provider}/${model}`, payload: { ...quota, by: principal.subject } }),
  );
}

const REMOVED = {
  model_price: { remove: deleteModelPrice, what: 'price of model' },
  provider_quota: { remove: deleteProviderQuota, what: 'quota of model' },
} as const;

/** @throws NOT_FOUND */
export async function removeRule(
  deps: Deps,
  principal: Principal,
  kind: keyof typeof REMOVED,
  { provider, model }: ById,
): Promise<boolean> {
  const { remove, what } = REMOVED[kind];
  const id = `${provider}/${model}`;
  const isKnown = !id.includes('\0');
  const removed = await changed(
    deps,
    principal,
    async (client) => isKnown && remove(client, provider, model),
    () => ({ type: `${kind}.removed`, id, payload: { provider, model, by: principal.subject } }),
  );
  if (!removed) throw new AppError('NOT_FOUND', { what, id });
  return true;
}

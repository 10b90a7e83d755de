import type { ModelPrice, ProviderQuota } from '../../domain/models/model-rules.ts';
import { runLineage } from '../../domain/runs/child-run-id.ts';
import type { Queryable } from './payload-store.ts';

const PRICE = `provider, model, input::float8, output::float8, cache_read::float8 AS "cacheRead", cache_write::float8 AS "cacheWrite"`;
const QUOTA = `provider, model, requests_per_minute AS "requestsPerMinute", tokens_per_minute::float8 AS "tokensPerMinute"`;

export async function listModelPrices(db: Queryable): Promise<ModelPrice[]> {
  return (await db.query<ModelPrice>(`SELECT ${PRICE} FROM model_prices ORDER BY provider, model`)).rows;
}

export async function saveModelPrice(db: Queryable, price: ModelPrice): Promise<void> {
  await db.query(
    `INSERT INTO model_prices (provider, model, input, output, cache_read, cache_write) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (provider, model) DO UPDATE SET (input, output, cache_read, cache_write)
       = ROW ($3::bigint, $4::bigint, $5::bigint, $6::bigint), updated_at = date_trunc('milliseconds', now())`,
    [price.provider, price.model, price.input, price.output, price.cacheRead, price.cacheWrite],
  );
}

export async function deleteModelPrice(db: Queryable, provider: string, model: string): Promise<boolean> {
  const { rowCount } = await db.query('DELETE FROM model_prices WHERE provider = $1 AND model = $2', [provider, model]);
  return rowCount === 1;
}

export async function listProviderQuotas(db: Queryable): Promise<ProviderQuota[]> {
  return (await db.query<ProviderQuota>(`SELECT ${QUOTA} FROM provider_quotas ORDER BY provider, model`)).rows;
}

export async function saveProviderQuota(db: Queryable, quota: ProviderQuota): Promise<void> {
  await db.query(
    `INSERT INTO provider_quotas (provider, model, requests_per_minute, tokens_per_minute) VALUES ($1, $2, $3, $4)
     ON CONFLICT (provider, model) DO UPDATE SET (requests_per_minute, tokens_per_minute) = ROW ($3::int, $4::bigint),
       updated_at = date_trunc('milliseconds', now())`,
    [quota.provider, quota.model, quota.requestsPerMinute, quota.tokensPerMinute],
  );
}

export async function deleteProviderQuota(db: Queryable, provider: string, model: string): Promise<boolean> {
  const { rowCount } = await db.query('DELETE FROM provider_quotas WHERE provider = $1 AND model = $2', [
    provider,
    model,
  ]);
  return rowCount === 1;
}

/** Takes a call's part of the quotas of its model; else gives the ms after which there may be room. */
export async function takeQuota(
  db: Queryable,
  { runId, provider, model, tokens }: { runId: string; provider: string; model: string; tokens: number },
): Promise<number> {
  const { rows } = await db.query<{ wait: number | null }>({
    name: 'take-quota',
    text: `SELECT weft_take_quota($1, $2, coalesce((SELECT tenant_id FROM runs WHERE id = ANY($3) LIMIT 1), ''), $4) AS wait`,
    values: [provider, model, runLineage(runId), tokens],
  });
  return rows[0]?.wait ?? 0;
}

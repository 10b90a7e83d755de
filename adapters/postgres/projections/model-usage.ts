import type pg from 'pg';
import type { SystemPayload } from '../../../domain/events/system-event.ts';
import type { ProjectedEvent, Projection } from './projection.ts';

export const MODEL_USAGE: Projection = {
  name: 'model-usage',
  version: 1,
  meaning: 'Calls to language models, their tokens and cost, by day, workflow, model and user.',
  tables: ['model_usage'],
  types: ['model.called'],
  apply,
};

/** Who had it called, where that is said; else it is whoever started the run. */
type Call = SystemPayload<'model.called'> & { by?: string | null };

async function apply(
  client: pg.PoolClient,
  events: readonly ProjectedEvent[],
  table: (name: string) => string,
): Promise<void> {
  const calls = events.map((event) => ({ ...event, call: event.payload as unknown as Call }));
  if (calls.length === 0) return;
  const column = <T>(of: (call: Call) => T): T[] => calls.map(({ call }) => of(call));
  await client.query(
    `INSERT INTO ${table('model_usage')} AS stored (tenant_id, day, workflow_id, provider, model, subject, calls, failures, unpriced,
       input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, cost_micro_usd, total_ms)
     SELECT given.tenant_id, (given.at AT TIME ZONE 'UTC')::date, coalesce(run.workflow_id, ''), given.provider, given.model,
            coalesce(nullif(given.subject, ''), CASE WHEN run.trigger_kind IN ('MANUAL', 'RUN') THEN run.trigger_source END, ''),
            count(*), count(*) FILTER (WHERE failed), count(*) FILTER (WHERE cost IS NULL AND NOT failed),
            coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0), coalesce(sum(cached), 0), coalesce(sum(reasoning), 0),
            coalesce(sum(cost), 0), sum(ms)
     FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::bigint[],
                 $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[])
       AS given(tenant_id, at, run_id, provider, model, subject, failed, tokens_in, tokens_out, cached, reasoning, cost, ms)
     LEFT JOIN runs run ON run.id = given.run_id AND run.tenant_id = given.tenant_id
     GROUP BY 1, 2, 3, 4, 5, 6
     ON CONFLICT (tenant_id, day, workflow_id, provider, model, subject) DO UPDATE
     SET calls = stored.calls + excluded.calls, failures = stored.failures + excluded.failures,
         unpriced = stored.unpriced + excluded.unpriced, input_tokens = stored.input_tokens + excluded.input_tokens,
         output_tokens = stored.output_tokens + excluded.output_tokens,
         cached_input_tokens = stored.cached_input_tokens + excluded.cached_input_tokens,
         reasoning_tokens = stored.reasoning_tokens + excluded.reasoning_tokens,
         cost_micro_usd = stored.cost_micro_usd + excluded.cost_micro_usd, total_ms = stored.total_ms + excluded.total_ms`,
    [
      calls.map(({ tenantId }) => tenantId),
      calls.map(({ occurredAt }) => occurredAt),
      column(({ runId }) => runId),
      column(({ provider }) => provider),
      column(({ model }) => model ?? ''),
      column(({ by }) => by ?? ''),
      column(({ outcome }) => outcome === 'FAILED'),
      column(({ inputTokens }) => inputTokens),
      column(({ outputTokens }) => outputTokens),
      column(({ cachedInputTokens }) => cachedInputTokens ?? null),
      column(({ reasoningTokens }) => reasoningTokens ?? null),
      column(({ costMicroUsd }) => costMicroUsd),
      column(({ durationMs }) => durationMs),
    ],
  );
}

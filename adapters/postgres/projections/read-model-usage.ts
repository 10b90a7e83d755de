import type { Queryable } from '../payload-store.ts';
import { dayOf } from './read-node-stats.ts';

export const USAGE_DIMENSIONS = {
  DAY: 'day',
  WORKFLOW: 'workflow_id',
  PROVIDER: 'provider',
  MODEL: 'model',
  USER: 'subject',
} as const;
export type UsageDimension = keyof typeof USAGE_DIMENSIONS;

export type UsageFilter = {
  tenantId: string;
  /** Days of UTC, both included. */
  from?: Date | undefined;
  to?: Date | undefined;
  workflowId?: string | undefined;
  by: readonly UsageDimension[];
};
/** What was not asked to be told apart is null. */
export type ModelUsage = {
  day: string | null;
  workflowId: string | null;
  provider: string | null;
  model: string | null;
  user: string | null;
  calls: number;
  failures: number;
  /** Answered calls whose cost is not known. */
  unpriced: number;
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens: number;
  reasoningTokens: number;
  costMicroUsd: number;
  meanMs: number;
};

const SUMS = [
  'calls',
  'failures',
  'unpriced',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'cost_micro_usd',
]
  .map((name) => `sum(${name})::float8 AS "${camel(name)}"`)
  .join(', ');

/** The newest day first, then by cost. */
export async function readModelUsage(db: Queryable, filter: UsageFilter): Promise<ModelUsage[]> {
  const columns = Object.entries(USAGE_DIMENSIONS).map(([dimension, column]) => {
    const value = column === 'day' ? `to_char(day, 'YYYY-MM-DD')` : column;
    const name = { DAY: 'day', WORKFLOW: 'workflowId', PROVIDER: 'provider', MODEL: 'model', USER: 'user' }[dimension];
    return `${filter.by.some((one) => one === dimension) ? value : 'NULL::text'} AS "${name}"`;
  });
  const groups = filter.by.map((dimension) => USAGE_DIMENSIONS[dimension]);
  const { rows } = await db.query<ModelUsage>(
    `SELECT ${columns.join(', ')}, ${SUMS}, (sum(total_ms) / sum(calls))::float8 AS "meanMs" FROM model_usage
     WHERE tenant_id = $1 AND ($2::date IS NULL OR day >= $2) AND ($3::date IS NULL OR day <= $3)
       AND ($4::text IS NULL OR workflow_id = $4)
     ${groups.length === 0 ? 'HAVING count(*) > 0' : `GROUP BY ${groups.join(', ')}`}
     ORDER BY "day" DESC NULLS LAST, "costMicroUsd" DESC, calls DESC`,
    [filter.tenantId, dayOf(filter.from), dayOf(filter.to), filter.workflowId ?? null],
  );
  return rows;
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

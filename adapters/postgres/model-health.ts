import type pg from 'pg';
import type { BreakerState } from '../../domain/models/circuit-breaker.ts';

export type ModelHealth = {
  worker: string;
  provider: string;
  model: string;
  failures: number;
  openUntil: Date | null;
  lastErrorCode: string | null;
  lastErrorAt: Date | null;
  lastSuccessAt: Date | null;
  updatedAt: Date;
};

const FORGOTTEN_HOURS = 24;

/** What a worker process has seen of a model, in place of what it had seen before. */
export async function noteModelHealth(
  pool: pg.Pool,
  { worker, provider, model, state }: { worker: string; provider: string; model: string; state: BreakerState },
): Promise<void> {
  const { failures, openUntil, lastError, lastSuccessAt } = state;
  const moment = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : new Date(ms));
  await pool.query(
    `INSERT INTO model_health (worker, provider, model, failures, open_until, last_error_code, last_error_at, last_success_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (worker, provider, model) DO UPDATE SET failures = $4, open_until = $5,
       last_error_code = coalesce($6, model_health.last_error_code), last_error_at = coalesce($7, model_health.last_error_at),
       last_success_at = coalesce($8, model_health.last_success_at), updated_at = clock_timestamp()`,
    [
      worker,
      provider,
      model,
      failures,
      moment(openUntil),
      lastError?.code ?? null,
      moment(lastError?.at),
      moment(lastSuccessAt),
    ],
  );
}

/** Of the last day, by provider and model. */
export async function readModelHealth(pool: pg.Pool): Promise<ModelHealth[]> {
  const { rows } = await pool.query<ModelHealth>(
    `SELECT worker, provider, model, failures, open_until AS "openUntil", last_error_code AS "lastErrorCode",
            last_error_at AS "lastErrorAt", last_success_at AS "lastSuccessAt", updated_at AS "updatedAt"
     FROM model_health WHERE updated_at > clock_timestamp() - make_interval(hours => $1)
     ORDER BY provider, model, worker`,
    [FORGOTTEN_HOURS],
  );
  return rows;
}

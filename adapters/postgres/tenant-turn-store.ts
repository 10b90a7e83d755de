import type pg from 'pg';
import type { Turns } from '../../domain/runs/flow-control/fair-turns.ts';
import { takeTenantTurn } from '../../domain/runs/flow-control/tenant-turns.ts';

/** The rows of `fair_turns` that are between tenants, and among them the common clock. No tenant has this name. */
const BETWEEN_TENANTS = '';
const COMMON_CLOCK = '';

/** Where the tenants stand with each other, over all dispatchers. */
export async function readTenantTurns(pool: pg.Pool, tenantIds: readonly string[]): Promise<Turns> {
  const { rows } = await pool.query<{ turn: string; served: number }>(
    'SELECT turn, served FROM fair_turns WHERE tenant_id = $1 AND turn = ANY($2)',
    [BETWEEN_TENANTS, [COMMON_CLOCK, ...tenantIds]],
  );
  const served = new Map(rows.map((row) => [row.turn, row.served]));
  const clock = served.get(COMMON_CLOCK) ?? 0;
  served.delete(COMMON_CLOCK);
  return { clock, served };
}

/** Adds to what other dispatchers have written meanwhile. The clock's row comes first, so that no two wait for each other. */
export async function chargeTenantTurn(
  pool: pg.Pool,
  turns: Turns,
  tenantId: string,
  turn: { weight: number; runs: number },
): Promise<void> {
  if (turn.runs === 0) return;
  const { clock } = takeTenantTurn(turns, tenantId, turn);
  await pool.query(
    `INSERT INTO fair_turns (tenant_id, turn, served)
     SELECT $1, turn, served FROM (VALUES (1, $2, $3::float8), (2, $4, $3::float8 + $5::float8)) AS own(place, turn, served)
     ORDER BY place
     ON CONFLICT (tenant_id, turn) DO UPDATE SET served = CASE fair_turns.turn
       WHEN $2 THEN greatest(fair_turns.served, excluded.served)
       ELSE greatest(fair_turns.served + $5, excluded.served) END`,
    [BETWEEN_TENANTS, COMMON_CLOCK, clock, tenantId, turn.runs / turn.weight],
  );
}

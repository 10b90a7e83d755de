import type pg from 'pg';
import { type TenantId, tenantId as asTenantId } from '../../domain/identifiers.ts';
import { type Budget, type BudgetUse, type NewBudget, nextWindow } from '../../domain/models/budget.ts';
import type { Queryable } from './payload-store.ts';

type Row = Omit<Budget, 'tenantId' | 'limit'> & { tenantId: string; limit: string };
const COLUMNS = `tenant_id AS "tenantId", id, scope, target, period, unit, limit_amount AS limit, action,
  downgrade_to AS "downgradeTo", warn_at AS "warnAt", enabled, revision, created_at AS "createdAt", updated_at AS "updatedAt"`;

/** Makes it, or puts it in the place of the one with its id; what its windows have counted stays. */
export async function saveBudget(client: pg.PoolClient, tenantId: TenantId, budget: NewBudget): Promise<Budget> {
  const { id, scope, target, period, unit, limit, action, downgradeTo, warnAt, enabled } = budget;
  const { rows } = await client.query<Row>(
    `INSERT INTO budgets AS known (tenant_id, id, scope, target, period, unit, limit_amount, action, downgrade_to, warn_at, enabled)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (tenant_id, id) DO UPDATE SET
       (scope, target, period, unit, limit_amount, action, downgrade_to, warn_at, enabled)
         = ROW ($3, $4, $5, $6, $7::bigint, $8, $9, $10::integer[], $11::boolean),
       revision = known.revision + 1, updated_at = date_trunc('milliseconds', now())
     RETURNING ${COLUMNS}`,
    [tenantId, id, scope, target, period, unit, limit, action, downgradeTo, warnAt, enabled],
  );
  return budgetOf(rows[0] as Row);
}

export async function readBudget(db: Queryable, tenantId: TenantId, id: string): Promise<Budget | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${COLUMNS} FROM budgets WHERE tenant_id = $1 AND id = $2`, [
    tenantId,
    id,
  ]);
  return rows[0] && budgetOf(rows[0]);
}

export async function listBudgets(db: Queryable, tenantId: TenantId): Promise<Budget[]> {
  const { rows } = await db.query<Row>(`SELECT ${COLUMNS} FROM budgets WHERE tenant_id = $1 ORDER BY id`, [tenantId]);
  return rows.map(budgetOf);
}

/** With all that its windows have counted. */
export async function deleteBudget(client: pg.PoolClient, tenantId: TenantId, id: string): Promise<boolean> {
  const { rowCount } = await client.query('DELETE FROM budgets WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
  return rowCount === 1;
}

/** The present windows that something was asked of, those that are used most first. */
export async function readBudgetUse(db: Queryable, budget: Budget, first: number): Promise<BudgetUse[]> {
  const { rows } = await db.query<BudgetUse & { spent: string; reserved: string; now: Date }>(
    `SELECT target, starts_at AS "startsAt", spent, reserved, warned, refused_at AS "refusedAt", now() AS now
     FROM budget_windows WHERE tenant_id = $1 AND budget_id = $2 AND starts_at = weft_period_start($3, now())
     ORDER BY spent + reserved DESC, target LIMIT $4`,
    [budget.tenantId, budget.id, budget.period, first],
  );
  return rows.map(({ now, spent, reserved, ...rest }) => ({
    ...rest,
    spent: Number(spent),
    reserved: Number(reserved),
    endsAt: nextWindow(budget.period, now),
  }));
}

const budgetOf = ({ limit, tenantId, ...row }: Row): Budget => ({
  ...row,
  tenantId: asTenantId(tenantId),
  limit: Number(limit),
});

import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import type { BudgetPeriod, BudgetScope, BudgetUnit } from '../../domain/models/budget.ts';
import type {
  Amounts,
  BudgetLedger,
  BudgetRefusal,
  Reservation,
  ReserveOutcome,
} from '../../domain/models/budget-ledger.ts';
import { runLineage } from '../../domain/runs/child-run-id.ts';
import { createLateSettlements } from './late-settlements.ts';
import { recordedChange } from './record-events.ts';

export type BudgetLedgerOptions = {
  /** This process, in reservations. */
  worker: string;
  /** How long a reservation outlives the last sign of its worker. */
  leaseMs: number;
  onError: (error: unknown) => void;
};

/** A child run's row comes from its parent's events, a foreign run's from the projector: both some moments after it began. */
const UNKNOWN_RUN_MS = 3_000;

/** The windows that a call belongs to. $1: its run, then the runs that this is a child of. */
const WANTED = `
  found AS MATERIALIZED (
    SELECT run.id, run.tenant_id, run.workflow_id, run.labels, ordinal,
           CASE WHEN run.trigger_kind IN ('MANUAL', 'RUN') THEN run.trigger_source END AS source
    FROM unnest($1::text[]) WITH ORDINALITY AS given(id, ordinal) JOIN runs run USING (id)
  ), root AS (SELECT * FROM found ORDER BY ordinal DESC LIMIT 1),
  targets AS (
    SELECT 'TENANT' AS scope, '' AS target FROM root
    UNION ALL SELECT 'PROJECT', labels ->> 'project' FROM root WHERE labels ->> 'project' IS NOT NULL
    UNION ALL SELECT 'USER', source FROM root WHERE source IS NOT NULL
    UNION ALL SELECT DISTINCT 'WORKFLOW', workflow_id FROM found
    UNION ALL SELECT 'RUN', id FROM root
  ), wanted AS MATERIALIZED (
    SELECT budget.tenant_id, budget.id AS budget_id, targets.target, weft_period_start(budget.period, now()) AS starts_at,
           budget.scope, budget.period, budget.unit, budget.limit_amount, budget.action, budget.downgrade_to,
           CASE budget.unit WHEN 'TOKENS' THEN $2::bigint ELSE $3::bigint END AS amount
    FROM root JOIN budgets budget ON budget.tenant_id = root.tenant_id AND budget.enabled
    JOIN targets ON targets.scope = budget.scope AND (budget.target IS NULL OR budget.target = targets.target)
  )`;

const RESERVE = `WITH ${WANTED}, known AS MATERIALIZED (
    SELECT FROM budget_reservations WHERE call_id = $4
  ), locked AS MATERIALIZED (
    SELECT wanted.*, stored.spent, stored.reserved,
           stored.spent + stored.reserved + amount <= limit_amount
             OR (action = 'DOWNGRADE' AND downgrade_to = $7 || '/' || $8) AS fits
    FROM wanted JOIN budget_windows stored USING (tenant_id, budget_id, target, starts_at)
    WHERE NOT EXISTS (SELECT FROM known)
    ORDER BY budget_id, target, starts_at FOR UPDATE OF stored
  ), verdict AS (
    SELECT (SELECT count(*) FROM wanted) AS wanted, count(*) AS there, coalesce(bool_and(fits), true) AS fits FROM locked
  ), made AS (
    INSERT INTO budget_reservations (tenant_id, call_id, activity, attempt, run_id, provider, model, entries, worker, expires_at)
    SELECT (SELECT tenant_id FROM root), $4, $5, $6, $1[1], $7, $8,
           (SELECT json_agg(json_build_object('budget', budget_id, 'target', target, 'startsAt', starts_at, 'unit', unit,
                                              'amount', amount)) FROM locked),
           $9, clock_timestamp() + make_interval(secs => $10)
    FROM verdict WHERE fits AND there = wanted AND there > 0 ON CONFLICT (call_id) DO NOTHING RETURNING call_id
  ), changed AS (
    UPDATE budget_windows stored SET reserved = stored.reserved + locked.amount FROM locked, made
    WHERE (stored.tenant_id, stored.budget_id, stored.target, stored.starts_at)
        = (locked.tenant_id, locked.budget_id, locked.target, locked.starts_at)
    RETURNING 1
  )
  SELECT EXISTS (SELECT FROM known) AS known, wanted::int, there::int, EXISTS (SELECT FROM made) AS made,
         (SELECT count(*) FROM changed)::int AS changed, (SELECT tenant_id FROM root) AS "tenantId",
         EXISTS (SELECT FROM found WHERE ordinal = 1) AS "ownRow",
         EXISTS (SELECT FROM budgets WHERE enabled AND (tenant_id = (SELECT tenant_id FROM root)
           OR NOT EXISTS (SELECT FROM root))) AS "anyBudget",
         (SELECT json_agg(json_build_object('budgetId', budget_id, 'scope', scope, 'target', target, 'period', period, 'unit', unit,
            'limit', limit_amount, 'spent', spent, 'reserved', reserved, 'asked', amount, 'action', action,
            'downgradeTo', downgrade_to, 'startsAt', starts_at) ORDER BY budget_id, target) FROM locked WHERE NOT fits) AS refusals
  FROM verdict`;

const OPEN_WINDOWS = `WITH ${WANTED}
  INSERT INTO budget_windows (tenant_id, budget_id, target, starts_at)
  SELECT tenant_id, budget_id, target, starts_at FROM wanted ORDER BY 2, 3, 4 ON CONFLICT DO NOTHING`;

/** Whether it was settled before is decided by the row's lock. */
const SETTLE = `WITH open AS MATERIALIZED (
    SELECT * FROM budget_reservations WHERE call_id = $1 AND state <> 'SETTLED' FOR UPDATE
  ), closed AS (
    UPDATE budget_reservations one SET state = 'SETTLED', closed_at = clock_timestamp() FROM open WHERE one.call_id = open.call_id
  ), entries AS MATERIALIZED (
    SELECT open.tenant_id, entry.*, CASE open.state WHEN 'RESERVED' THEN entry.amount ELSE 0 END AS held,
           CASE entry.unit WHEN 'TOKENS' THEN $2::bigint ELSE $3::bigint END AS used
    FROM open, jsonb_to_recordset(open.entries)
      AS entry(budget text, target text, "startsAt" timestamptz, unit text, amount bigint)
  ), locked AS MATERIALIZED (
    SELECT entries.* FROM entries JOIN budget_windows stored ON (stored.tenant_id, stored.budget_id, stored.target, stored.starts_at)
      = (entries.tenant_id, entries.budget, entries.target, entries."startsAt")
    ORDER BY entries.budget, entries.target, entries."startsAt" FOR UPDATE OF stored
  ), changed AS (
    UPDATE budget_windows stored SET reserved = stored.reserved - locked.held, spent = stored.spent + locked.used FROM locked
    WHERE (stored.tenant_id, stored.budget_id, stored.target, stored.starts_at)
        = (locked.tenant_id, locked.budget, locked.target, locked."startsAt")
    RETURNING stored.*
  )
  SELECT changed.tenant_id AS "tenantId", budget.id, budget.scope, changed.target, budget.period, budget.unit,
         budget.limit_amount AS limit, changed.starts_at AS "startsAt", changed.spent, reached.percent
  FROM changed JOIN budgets budget ON (budget.tenant_id, budget.id) = (changed.tenant_id, changed.budget_id)
  CROSS JOIN LATERAL (
    SELECT max(percent) AS percent FROM unnest(budget.warn_at) percent
    WHERE percent > changed.warned AND changed.spent * 100 >= percent * budget.limit_amount
  ) reached WHERE reached.percent IS NOT NULL`;

const RELEASE_EARLIER = `SELECT call_id FROM budget_reservations WHERE activity = $1 AND attempt < $2 AND state = 'RESERVED'`;

export type Use = {
  tenantId: string;
  id: string;
  scope: BudgetScope;
  target: string;
  period: BudgetPeriod;
  unit: BudgetUnit;
  limit: number;
  startsAt: Date;
  spent: number;
};
type Verdict = {
  known: boolean;
  wanted: number;
  there: number;
  made: boolean;
  changed: number;
  tenantId: string | null;
  ownRow: boolean;
  anyBudget: boolean;
  refusals: (BudgetRefusal & { startsAt: string })[] | null;
};

/** `release` gives back what lost attempts had reserved. */
export function createBudgetLedger(
  pool: pg.Pool,
  { worker, leaseMs, onError }: BudgetLedgerOptions,
  release: (callIds: readonly string[]) => Promise<unknown>,
): BudgetLedger & { close: () => Promise<void> } {
  const late = createLateSettlements((callId, amounts) => settle(pool, callId, amounts), onError);
  return {
    async reserve(reservation) {
      await releaseEarlier(pool, reservation, release);
      const wanted = [runLineage(reservation.runId), reservation.amounts.tokens, reservation.amounts.microUsd];
      const { callId, activity, attempt, provider, model } = reservation;
      const values = [...wanted, callId, activity, attempt, provider, model, worker, leaseMs / 1_000];
      for (;;) {
        const { rows } = await pool.query<Verdict>({ name: 'budget-reserve', text: RESERVE, values });
        const verdict = rows[0] as Verdict;
        if (verdict.known || verdict.made) return { admitted: true, isCounted: true };
        waitForRows(verdict, reservation.runId);
        if (verdict.wanted === 0) return { admitted: true, isCounted: false };
        if (verdict.refusals) return refused(pool, reservation, verdict);
        if (verdict.there < verdict.wanted) await pool.query(OPEN_WINDOWS, wanted);
      }
    },
    async settle(callId, amounts) {
      await settle(pool, callId, amounts).catch((error: unknown) => {
        late.add(callId, amounts);
        throw error;
      });
    },
    close: () => late.close(),
  };
}

async function releaseEarlier(
  pool: pg.Pool,
  { activity, attempt }: Reservation,
  release: (callIds: readonly string[]) => Promise<unknown>,
): Promise<void> {
  if (attempt === 1) return;
  const { rows } = await pool.query<{ call_id: string }>(RELEASE_EARLIER, [activity, attempt]);
  if (rows.length > 0) await release(rows.map(({ call_id }) => call_id));
}

/** Nobody gets past a budget by being too quick for the projector. @throws CALL_PARKED */
function waitForRows({ ownRow, anyBudget }: Verdict, runId: string): void {
  if (ownRow || !anyBudget) return;
  const until = Date.now() + UNKNOWN_RUN_MS;
  const detail = `it is not known yet whose budgets run ${runId} belongs to`;
  throw new AppError('CALL_PARKED', { until, opensAt: new Date(until).toISOString(), detail });
}

async function refused(pool: pg.Pool, { runId }: Reservation, verdict: Verdict): Promise<ReserveOutcome> {
  const refusals = verdict.refusals as [Verdict['refusals'] & object][0];
  await recordedChange(pool, verdict.tenantId as string, async (client) => {
    const events: SystemEvent[] = [];
    for (const one of refusals) {
      const { rowCount } = await client.query(
        `UPDATE budget_windows SET refused_at = date_trunc('milliseconds', clock_timestamp())
         WHERE tenant_id = $1 AND budget_id = $2 AND target = $3 AND starts_at = $4 AND refused_at IS NULL`,
        [verdict.tenantId, one.budgetId, one.target, one.startsAt],
      );
      if (rowCount === 0) continue;
      const { budgetId: id, scope, target, period, unit, limit, spent, action } = one;
      const startsAt = new Date(one.startsAt).toISOString();
      events.push({
        type: 'budget.exhausted',
        id,
        eventId: `budget.exhausted/${id}/${target}/${startsAt}`,
        correlationId: runId,
        payload: { id, scope, target, period, unit, limit, startsAt, spent, action, runId },
      });
    }
    return { result: undefined, events };
  });
  return { admitted: false, refusals: refusals as unknown as [BudgetRefusal] };
}

async function settle(pool: pg.Pool, callId: string, { tokens, microUsd }: Amounts): Promise<void> {
  const { rows } = await pool.query<Use & { percent: number }>({
    name: 'budget-settle',
    text: SETTLE,
    values: [callId, tokens, microUsd],
  });
  for (const { percent, ...use } of rows) await warn(pool, use, percent);
}

/** Told once in each window: whoever comes first says it. */
export async function warn(pool: pg.Pool, use: Use, percent: number): Promise<void> {
  const { tenantId, startsAt, limit, spent, ...budget } = use;
  await recordedChange(pool, tenantId, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE budget_windows SET warned = $5 WHERE tenant_id = $1 AND budget_id = $2 AND target = $3 AND starts_at = $4 AND warned < $5`,
      [tenantId, budget.id, budget.target, startsAt, percent],
    );
    const payload = {
      ...budget,
      ...{ limit: Number(limit), startsAt: startsAt.toISOString(), spent: Number(spent), percent },
    };
    const eventId = `budget.warned/${budget.id}/${budget.target}/${payload.startsAt}/${percent}`;
    return {
      result: undefined,
      events: rowCount === 1 ? [{ type: 'budget.warned', id: budget.id, eventId, payload }] : [],
    };
  });
}

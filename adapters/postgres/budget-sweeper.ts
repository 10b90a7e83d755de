import type pg from 'pg';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import type { BudgetUnit } from '../../domain/models/budget.ts';
import { recordWithin } from './record-events.ts';
import { inTransaction } from './transaction.ts';

export type BudgetSweeperOptions = {
  worker: string;
  leaseMs: number;
  /** Whether what a lost call had reserved counts as used; nobody knows what it came to. */
  chargeLost: boolean;
  onError: (error: unknown) => void;
};
export type BudgetSweeper = {
  /** Of calls whose worker is gone. Gives how many were still open. */
  release: (callIds: readonly string[]) => Promise<number>;
  sweep: () => Promise<number>;
  close: () => Promise<void>;
};

const MOST_AT_ONCE = 200;
const KEPT_DAYS = 7;

type Lost = {
  tenant_id: string;
  call_id: string;
  run_id: string | null;
  provider: string;
  model: string;
  entries: { budget: string; unit: BudgetUnit; amount: number }[];
};

/** What was locked first stays in order, so that calls that reserve meanwhile cannot get in each other's way. */
const CLOSE = `WITH open AS MATERIALIZED (
    SELECT * FROM budget_reservations WHERE call_id = ANY($1) AND state = 'RESERVED' ORDER BY call_id FOR UPDATE
  ), closed AS (
    UPDATE budget_reservations one SET state = CASE WHEN $2 THEN 'SETTLED' ELSE 'RELEASED' END, closed_at = clock_timestamp()
    FROM open WHERE one.call_id = open.call_id
  ), sums AS MATERIALIZED (
    SELECT open.tenant_id, entry.budget, entry.target, entry."startsAt" AS starts_at, sum(entry.amount) AS amount
    FROM open, jsonb_to_recordset(open.entries) AS entry(budget text, target text, "startsAt" timestamptz, amount bigint)
    GROUP BY 1, 2, 3, 4
  ), locked AS MATERIALIZED (
    SELECT sums.* FROM sums JOIN budget_windows stored ON (stored.tenant_id, stored.budget_id, stored.target, stored.starts_at)
      = (sums.tenant_id, sums.budget, sums.target, sums.starts_at)
    ORDER BY sums.budget, sums.target, sums.starts_at FOR UPDATE OF stored
  ), changed AS (
    UPDATE budget_windows stored SET reserved = stored.reserved - locked.amount,
                                     spent = stored.spent + CASE WHEN $2 THEN locked.amount ELSE 0 END FROM locked
    WHERE (stored.tenant_id, stored.budget_id, stored.target, stored.starts_at)
        = (locked.tenant_id, locked.budget, locked.target, locked.starts_at)
  )
  SELECT tenant_id, call_id, run_id, provider, model, entries FROM open`;

/**
 * Says of the reservations of this process, again and again, that it lives, and gives back those of processes that no longer say so.
 * A worker that was thought lost and comes back with an answer still has it counted.
 */
export function startBudgetSweeper(pool: pg.Pool, options: BudgetSweeperOptions): BudgetSweeper {
  const { worker, leaseMs, chargeLost, onError } = options;
  const release = (callIds: readonly string[]): Promise<number> =>
    inTransaction(pool, async (client) => {
      const { rows } = await client.query<Lost>(CLOSE, [callIds, chargeLost]);
      for (const [tenantId, lost] of Map.groupBy(rows, ({ tenant_id }) => tenant_id)) {
        await recordWithin(
          client,
          tenantId,
          lost.flatMap((one) => lostEvents(one, chargeLost)),
        );
      }
      return rows.length;
    });
  const sweep = async (): Promise<number> => {
    const { rows } = await pool.query<{ call_id: string }>(
      `SELECT call_id FROM budget_reservations WHERE state = 'RESERVED' AND expires_at < clock_timestamp() LIMIT ${MOST_AT_ONCE}`,
    );
    return rows.length === 0 ? 0 : release(rows.map(({ call_id }) => call_id));
  };
  const turn = async () => {
    await pool.query(
      `UPDATE budget_reservations SET expires_at = clock_timestamp() + make_interval(secs => $2)
       WHERE worker = $1 AND state = 'RESERVED'`,
      [worker, leaseMs / 1_000],
    );
    await sweep();
    await pool.query(
      `DELETE FROM budget_reservations WHERE closed_at < clock_timestamp() - make_interval(days => ${KEPT_DAYS})`,
    );
  };
  let turning: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    turning = turning.then(turn).catch(onError);
  }, leaseMs / 3);
  timer.unref();
  return {
    release,
    sweep,
    close: async () => {
      clearInterval(timer);
      await turning;
    },
  };
}

function lostEvents({ call_id: callId, run_id: runId, provider, model, entries }: Lost, charged: boolean) {
  return entries.map(({ budget: id, unit, amount }): SystemEvent => ({
    type: 'budget.call_lost',
    id,
    eventId: `budget.call_lost/${callId}/${id}`,
    correlationId: runId,
    payload: { id, runId, callId, provider, model, unit, amount, charged },
  }));
}

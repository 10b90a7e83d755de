import type { LeaseRequest, RateRequest } from '../../domain/runs/flow-control/flow-request.ts';
import type { Queryable } from './payload-store.ts';

export type QueueReason =
  'CONCURRENCY' | 'SINGLETON' | 'RATE_LIMIT' | 'DEBOUNCE' | 'DELAYED' | 'ADMISSION' | 'STARTING';

/** Why a run has not started yet. */
export type RunQueue = {
  reason: QueueReason;
  /** 1 is first, by priority and arrival; null where there is no line. */
  position: number | null;
  /** The value of the policy's key. */
  key: string | null;
  since: Date;
  /** When it is due, where that is known. */
  dueAt: Date | null;
};

type Row = {
  run_id: string;
  state: string;
  since: Date;
  ready_at: Date;
  early: boolean;
  debounced: boolean;
  waits_for: string | null;
  due_at: Date | null;
  ahead: number | null;
  request: { leases: LeaseRequest[]; rate: RateRequest | null; debounce: { key: string } | null };
};

/** By run id; runs that wait for nothing are left out. */
export async function readRunQueues(pool: Queryable, runIds: readonly string[]): Promise<Map<string, RunQueue>> {
  const { rows } = await pool.query<Row>(
    `SELECT run_id, state, since, ready_at, ready_at > clock_timestamp() AS early, debounce IS NOT NULL AS debounced,
            waits_for, request, wake.due_at, CASE WHEN waits_for IS NULL THEN NULL ELSE (
              SELECT count(*)::int FROM run_admissions other
              WHERE other.tenant_id = own.tenant_id AND other.waits_for = own.waits_for AND other.state = 'WAITING'
                AND (other.priority, other.sequence) < (own.priority, own.sequence)) END AS ahead
     FROM run_admissions own LEFT JOIN rate_wakes wake ON wake.tenant_id = own.tenant_id AND wake.name = own.waits_for
     WHERE run_id = ANY($1) AND state IN ('WAITING', 'ADMITTED')`,
    [runIds],
  );
  return new Map(rows.map((row) => [row.run_id, queueOf(row)]));
}

function queueOf(row: Row): RunQueue {
  const { since, request } = row;
  const plain = { position: null, key: null, since, dueAt: null };
  if (row.state === 'ADMITTED') return { ...plain, reason: 'STARTING' };
  if (row.waits_for !== null) {
    const position = (row.ahead ?? 0) + 1;
    const lease = request.leases.find(({ name }) => name === row.waits_for);
    if (lease) return { ...plain, reason: lease.policy, key: lease.key, position };
    return { ...plain, reason: 'RATE_LIMIT', key: request.rate?.key ?? null, position, dueAt: row.due_at };
  }
  if (!row.early) return { ...plain, reason: 'ADMISSION' };
  if (row.debounced) return { ...plain, reason: 'DEBOUNCE', key: request.debounce?.key ?? null, dueAt: row.ready_at };
  return { ...plain, reason: 'DELAYED', dueAt: row.ready_at };
}

import type pg from 'pg';
import { DEFAULT_TENANT, type RunId, type TenantId } from '../../domain/identifiers.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { runLineage } from '../../domain/runs/child-run-id.ts';
import {
  decideEffect,
  type EffectCall,
  type EffectError,
  type EffectPlace,
  type EffectRecord,
  type EffectState,
} from '../../domain/tools/effect.ts';
import type { EffectLedger } from '../../domain/tools/effect-ledger.ts';
import { columnText, readColumns, spilledValues } from './large-values.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';
import { inTransaction } from './transaction.ts';

type Row = {
  run_id: string;
  node_id: string;
  iteration: string;
  attempt: number;
  key: string;
  kind: string;
  request: JsonObject;
  request_hash: string;
  scheduled_at: Date;
  started_at: Date;
  state: EffectState;
  receipt: Json;
  error: EffectError | null;
  finished_at: Date | null;
};

const OF_PLACE = 'run_id = $1 AND node_id = $2 AND iteration = $3';
const placeOf = ({ runId, nodeId, iteration }: EffectPlace) => [runId, nodeId, iteration];

export function createEffectStore(pool: pg.Pool): EffectLedger {
  return {
    async begin(call, { onUnknown, keyOfChanged }) {
      // Nearly always nobody was here before, and then one statement is all.
      if (await insertAttempt(pool, call, 1)) return { act: 'call', attempt: 1, key: call.key };
      return inTransaction(pool, async (client) => {
        const earlier = await readPlace(client, call);
        const decision = decideEffect(earlier, call, onUnknown);
        if (decision.act === 'return') return decision;
        await markUnknown(client, call);
        if (decision.act === 'refuse') return decision;
        const key = decision.changed ? keyOfChanged : call.key;
        await insertAttempt(client, { ...call, key }, decision.attempt);
        return { act: 'call', attempt: decision.attempt, key };
      });
    },
    async finish(place, attempt, outcome) {
      const spilled = spilledValues(pool);
      const receipt = columnText(outcome.state === 'RECEIPT' ? outcome.receipt : null, spilled);
      await createPayloadStore(pool).put(spilled);
      const error = outcome.state === 'RECEIPT' ? null : JSON.stringify(outcome.error);
      await pool.query({
        name: 'effect-finish',
        text: `UPDATE effects SET state = $5, receipt = $6, error = $7, finished_at = clock_timestamp()
               WHERE ${OF_PLACE} AND attempt = $4 AND state <> 'RECEIPT'`,
        values: [...placeOf(place), attempt, outcome.state, receipt, error],
      });
    },
  };
}

export type EffectListing = {
  tenantId: TenantId;
  runId: RunId;
  first: number;
  nodeId?: string | undefined;
  states?: readonly EffectState[] | undefined;
};

/** All attempts of the calls of a run, oldest first. */
export async function listEffects(pool: pg.Pool, listing: EffectListing): Promise<EffectRecord[]> {
  const { rows } = await pool.query<Row>(
    `SELECT * FROM effects
     WHERE run_id = $1 AND tenant_id = $2 AND ($3::text IS NULL OR node_id = $3) AND ($4::text[] IS NULL OR state = ANY($4))
     ORDER BY started_at, node_id, iteration, attempt LIMIT $5`,
    [listing.runId, listing.tenantId, listing.nodeId ?? null, listing.states ?? null, listing.first],
  );
  return fromRows(pool, rows);
}

async function insertAttempt(pool: Queryable, call: EffectCall, attempt: number): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'effect-begin',
    text: `INSERT INTO effects (run_id, node_id, iteration, attempt, tenant_id, key, kind, request, request_hash, scheduled_at)
           VALUES ($1, $2, $3, $4, coalesce((SELECT tenant_id FROM runs WHERE id = ANY($11) ORDER BY length(id) DESC LIMIT 1), $5), $6, $7, $8, $9, $10)
           ON CONFLICT DO NOTHING`,
    values: [
      ...placeOf(call),
      attempt,
      DEFAULT_TENANT,
      call.key,
      call.kind,
      JSON.stringify(call.request),
      call.requestHash,
      new Date(call.scheduledAt),
      runLineage(call.runId),
    ],
  });
  return rowCount === 1;
}

/** Locks the attempts, so that two that begin at the same time go one after the other. */
async function readPlace(client: pg.PoolClient, place: EffectPlace): Promise<EffectRecord[]> {
  const { rows } = await client.query<Row>(`SELECT * FROM effects WHERE ${OF_PLACE} ORDER BY attempt FOR UPDATE`, [
    ...placeOf(place),
  ]);
  return fromRows(client, rows);
}

async function markUnknown(client: pg.PoolClient, place: EffectPlace): Promise<void> {
  await client.query(
    `UPDATE effects SET state = 'UNKNOWN', finished_at = clock_timestamp(), error = $4 WHERE ${OF_PLACE} AND state = 'STARTED'`,
    [
      ...placeOf(place),
      JSON.stringify({ code: 'EFFECT_UNKNOWN', message: 'Another attempt began before this one was answered' }),
    ],
  );
}

async function fromRows(pool: Queryable, rows: readonly Row[]): Promise<EffectRecord[]> {
  const receipts = await readColumns(
    createPayloadStore(pool),
    rows.map((row) => row.receipt),
  );
  return rows.map((row, index) => ({
    runId: row.run_id,
    nodeId: row.node_id,
    iteration: row.iteration,
    attempt: row.attempt,
    key: row.key,
    kind: row.kind,
    request: row.request,
    requestHash: row.request_hash,
    scheduledAt: row.scheduled_at.getTime(),
    state: row.state,
    receipt: receipts[index] as Json,
    error: row.error,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }));
}

/** Of runs that closed longer ago than the retention; none without one. */
export async function deleteExpiredEffects(db: Queryable, retentionMs: number | null): Promise<number> {
  if (retentionMs === null) return 0;
  const { rowCount } = await db.query(
    `DELETE FROM effects USING runs
     WHERE runs.id = effects.run_id AND runs.closed_at < now() - $1 * interval '1 ms'`,
    [retentionMs],
  );
  return rowCount ?? 0;
}

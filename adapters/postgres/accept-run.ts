import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { RunId, TenantId } from '../../domain/identifiers.ts';
import { debounceDueAt } from '../../domain/runs/flow-control/debounce-window.ts';
import { type FlowRequest, isTakenOnArrival, type LeaseRequest } from '../../domain/runs/flow-control/flow-request.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { columnText, spilledValues } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';
import { ADMISSION_CHANNEL } from './release-leases.ts';
import { insertRun, type NewRun, readRun } from './run-store.ts';
import { inTransaction } from './transaction.ts';

export type Arrival = {
  /** Not before this. */
  startAt: Date | null;
  /** Not before this long after the arrival. */
  delayMs: number;
  /** Tells the same request from another one with the same idempotency key. */
  digest: string;
  /** W3C Trace Context of the request, for whoever starts the run. */
  traceparent: string | null;
};
export type Acceptance =
  /** `inserted` is false when the run was there already. */
  | { kind: 'accepted'; run: RunRecord; inserted: boolean }
  /** The request became part of a run that was there: by debounce, or because there may be one alone. */
  | { kind: 'joined'; run: RunRecord }
  | { kind: 'rejected'; lease: LeaseRequest };

/** Accepts a run that has to be admitted before it starts. What the answer depends on is decided under the tenant's lock. */
export async function acceptRun(
  pool: pg.Pool,
  record: NewRun,
  flow: FlowRequest,
  arrival: Arrival,
): Promise<Acceptance> {
  return inTransaction(pool, async (client) => {
    const taken = flow.leases.filter(isTakenOnArrival);
    if (taken.length > 0 || flow.debounce) {
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [flowLock(record.tenantId)]);
      const earlier = await readRun(client, record.tenantId, record.id);
      if (earlier) return { kind: 'accepted', run: earlier, inserted: false };
    }
    const waiting = flow.debounce && (await findDebounced(client, record.tenantId, flow.debounce.name));
    const runId = waiting ? waiting.runId : record.id;
    if (waiting) await giveUpPlaces(client, waiting.runId);
    const full = await fullLease(client, record.tenantId, taken);
    if (full?.lease.onLimit === 'skip') {
      await client.query('ROLLBACK; BEGIN');
      return join(client, record, full.holder, arrival);
    }
    if (full) {
      await client.query('ROLLBACK; BEGIN');
      return { kind: 'rejected', lease: full.lease };
    }
    if (!waiting) {
      const { run, inserted } = await insertRun(client, record);
      if (!inserted) return { kind: 'accepted', run, inserted };
    }
    const sequence = waiting
      ? await replaceDebounced(client, record, flow, waiting, arrival)
      : await insertAdmission(client, record, flow, arrival);
    await takePlaces(client, record.tenantId, { runId, sequence }, taken);
    await client.query(`SELECT pg_notify('${ADMISSION_CHANNEL}', '')`);
    if (waiting) return join(client, record, waiting.runId, arrival);
    return { kind: 'accepted', run: (await readRun(client, record.tenantId, record.id)) as RunRecord, inserted: true };
  });
}

/** Whoever admits runs of a tenant, or answers by what is held, holds this lock meanwhile. */
export const flowLock = (tenantId: string): string => `weft-flow/${tenantId}`;

/** Names are as long as people make them; an index needs them short. */
export function nameDigest(name: string): string {
  return name === '' ? '' : createHash('sha256').update(name).digest('base64url').slice(0, 32);
}

/** What a request with this idempotency key was answered with, when that was the run of another request. */
export async function readAlias(
  pool: pg.Pool,
  tenantId: TenantId,
  id: RunId,
): Promise<{ runId: RunId; digest: string } | undefined> {
  const { rows } = await pool.query<{ runId: RunId; digest: string }>(
    'SELECT run_id AS "runId", request_digest AS digest FROM run_aliases WHERE id = $1 AND tenant_id = $2',
    [id, tenantId],
  );
  return rows[0];
}

async function join(client: pg.PoolClient, record: NewRun, runId: string, { digest }: Arrival): Promise<Acceptance> {
  if (record.idempotencyKey !== null) {
    await client.query(
      'INSERT INTO run_aliases (id, tenant_id, run_id, request_digest) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [record.id, record.tenantId, runId, digest],
    );
  }
  return { kind: 'joined', run: (await readRun(client, record.tenantId, runId as RunId)) as RunRecord };
}

type Debounced = { runId: string; sequence: bigint; firstAt: number; now: number };

async function findDebounced(client: pg.PoolClient, tenantId: string, name: string): Promise<Debounced | undefined> {
  const { rows } = await client.query<Debounced>(
    `SELECT run_id AS "runId", sequence, (extract(epoch FROM since) * 1000)::float8 AS "firstAt",
            (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
     FROM run_admissions
     WHERE tenant_id = $1 AND debounce = $2 AND state = 'WAITING' AND waits_for IS NULL AND ready_at > clock_timestamp()
     LIMIT 1 FOR UPDATE`,
    [tenantId, nameDigest(name)],
  );
  return rows[0];
}

async function replaceDebounced(
  client: pg.PoolClient,
  record: NewRun,
  flow: FlowRequest,
  { runId, sequence, firstAt, now }: Debounced,
  { traceparent }: Arrival,
): Promise<bigint> {
  const spilled = spilledValues(client);
  const input = columnText(record.input, spilled);
  await createPayloadStore(client).put(spilled);
  await client.query(
    `UPDATE runs SET input = $2, version = $3, definition_hash = $4, priority = $5, labels = $6 WHERE id = $1`,
    [runId, input, record.version, record.definitionHash, flow.priority, JSON.stringify(record.labels ?? {})],
  );
  const dueAt = debounceDueAt(firstAt, now, flow.debounce ?? { periodMs: 0, maxWaitMs: null });
  await client.query(
    `UPDATE run_admissions SET request = $2, priority = $3, turn = $4, ready_at = to_timestamp($5::float8 / 1000),
            traceparent = $6
     WHERE run_id = $1`,
    [runId, requestText(flow), flow.priority, nameDigest(flow.turn.key), dueAt, traceparent],
  );
  return sequence;
}

async function insertAdmission(
  client: pg.PoolClient,
  record: NewRun,
  flow: FlowRequest,
  { startAt, delayMs, traceparent }: Arrival,
): Promise<bigint> {
  const { debounce } = flow;
  const debounceMs = debounce ? debounceDueAt(0, 0, debounce) : 0;
  const { rows } = await client.query<{ sequence: bigint }>(
    `INSERT INTO run_admissions (run_id, tenant_id, request, priority, turn, debounce, traceparent, since, ready_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp(),
             greatest($8::timestamptz, clock_timestamp() + $9 * interval '1 millisecond'))
     RETURNING sequence`,
    [
      record.id,
      record.tenantId,
      requestText(flow),
      flow.priority,
      nameDigest(flow.turn.key),
      debounce ? nameDigest(debounce.name) : null,
      traceparent,
      startAt,
      Math.max(delayMs, debounceMs),
    ],
  );
  return (rows[0] as { sequence: bigint }).sequence;
}

/** With digests for names, as they are looked for. */
function requestText(flow: FlowRequest): string {
  return JSON.stringify({
    leases: flow.leases.map((lease) => ({ ...lease, name: nameDigest(lease.name) })),
    rate: flow.rate && { ...flow.rate, name: nameDigest(flow.rate.name) },
    debounce: flow.debounce && { ...flow.debounce, name: nameDigest(flow.debounce.name) },
    weight: flow.turn.weight,
  });
}

async function fullLease(
  client: pg.PoolClient,
  tenantId: string,
  leases: readonly LeaseRequest[],
): Promise<{ lease: LeaseRequest; holder: string } | undefined> {
  for (const lease of leases) {
    const { rows } = await client.query<{ run_id: string }>(
      'SELECT run_id FROM run_leases WHERE tenant_id = $1 AND name = $2 ORDER BY sequence DESC LIMIT $3',
      [tenantId, nameDigest(lease.name), lease.limit],
    );
    if (rows.length >= lease.limit) return { lease, holder: (rows[0] as { run_id: string }).run_id };
  }
  return undefined;
}

async function takePlaces(
  client: pg.PoolClient,
  tenantId: string,
  { runId, sequence }: { runId: string; sequence: bigint },
  leases: readonly LeaseRequest[],
): Promise<void> {
  if (leases.length === 0) return;
  await client.query(
    `INSERT INTO run_leases (tenant_id, name, run_id, sequence, held_since)
     SELECT $1, name, $3, $4, clock_timestamp() FROM unnest($2::text[]) AS name`,
    [tenantId, leases.map(({ name }) => nameDigest(name)), runId, sequence],
  );
}

/** The next input may ask for other places. */
async function giveUpPlaces(client: pg.PoolClient, runId: string): Promise<void> {
  await client.query(
    `WITH released AS (DELETE FROM run_leases WHERE run_id = $1 RETURNING tenant_id, name)
     INSERT INTO lease_releases (tenant_id, name) SELECT tenant_id, name FROM released`,
    [runId],
  );
}

import type pg from 'pg';
import {
  definitionHash,
  nodeId,
  runId,
  tenantId,
  workflowId,
  type RunId,
  type TenantId,
} from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { Labels } from '../../domain/runs/flow-control/labels.ts';
import { PRIORITY } from '../../domain/runs/flow-control/flow-policies.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { Implementations } from '../../domain/runs/rerun/content-key.ts';
import type { Seed } from '../../domain/runs/rerun/seed.ts';
import type { Pause, Rerun, RunRecord } from '../../domain/runs/run-record.ts';
import type { RunState } from '../../domain/runs/run-state.ts';
import type { RunStatus } from '../../domain/runs/run-status.ts';
import { MANUAL_TRIGGER, type RunTrigger, type TriggerKind } from '../../domain/runs/triggers/run-trigger.ts';
import { columnText, readColumns, spilledValues } from './large-values.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';

export type RunPage = { rows: RunRecord[]; totalCount: number; hasNextPage: boolean };

export type RunRow = {
  id: string;
  tenant_id: string;
  workflow_id: string;
  version: number;
  definition_hash: string;
  status: RunStatus;
  input: Json;
  output: Json;
  error: RunError | null;
  idempotency_key: string | null;
  trigger_kind: TriggerKind;
  trigger_id: string | null;
  trigger_source: string | null;
  trigger_depth: number;
  parent_run_id: string | null;
  parent_node_id: string | null;
  parent_iteration: string | null;
  rerun_of: string | null;
  rerun: Omit<Rerun, 'of'> | null;
  subject: string | null;
  labels: Labels;
  priority: number;
  created_at: Date;
  started_at: Date | null;
  closed_at: Date | null;
  temporal_run_id: string | null;
  event_count: number;
  paused: Pause | null;
};

/** What a run is before its first event; the rest of the record is the projector's. */
export type NewRun = Omit<
  RunRecord,
  | 'status'
  | 'output'
  | 'error'
  | 'startedAt'
  | 'closedAt'
  | 'temporalRunId'
  | 'eventCount'
  | 'trigger'
  | 'parent'
  | 'rerun'
  | 'labels'
  | 'priority'
  | 'paused'
  | 'subject'
> & {
  /** Default is MANUAL. */
  trigger?: RunTrigger | undefined;
  labels?: Labels | undefined;
  priority?: number | undefined;
  rerun?: Rerun | undefined;
  /** Whose personal data its values are; default is that of the run whose results it takes over. */
  subject?: string | null | undefined;
  /** What it begins with. */
  seed?: Beginning | undefined;
  implementations?: Implementations | null | undefined;
};
/** Of a rerun, or of a fork. */
export type Beginning = { seed?: Seed; forked?: RunState };

/** With an id that exists already nothing is changed and the existing run is returned. */
export async function insertRun(pool: Queryable, record: NewRun): Promise<{ run: RunRecord; inserted: boolean }> {
  const spilled = spilledValues(pool);
  const input = columnText(record.input, spilled);
  const trigger = record.trigger ?? MANUAL_TRIGGER;
  const { of: rerunOf = null, ...rerun } = record.rerun ?? {};
  const seed = record.seed === undefined ? null : columnText(record.seed as unknown as Json, spilled);
  await createPayloadStore(pool).put(spilled);
  const { rows } = await pool.query<RunRow>(
    `INSERT INTO runs (id, tenant_id, workflow_id, version, definition_hash, input, idempotency_key, created_at,
                       trigger_kind, trigger_id, trigger_source, trigger_depth, labels, priority,
                       rerun_of, rerun, seed, implementations, subject)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             coalesce($19, (SELECT subject FROM runs WHERE id = $15)))
     ON CONFLICT (id) DO NOTHING RETURNING *`,
    [
      record.id,
      record.tenantId,
      record.workflowId,
      record.version,
      record.definitionHash,
      input,
      record.idempotencyKey,
      record.createdAt,
      trigger.kind,
      trigger.id,
      trigger.source,
      trigger.depth,
      JSON.stringify(record.labels ?? {}),
      record.priority ?? PRIORITY.standard,
      rerunOf,
      record.rerun ? JSON.stringify(rerun) : null,
      seed,
      record.implementations ? JSON.stringify(record.implementations) : null,
      record.subject ?? null,
    ],
  );
  const inserted = rows.length > 0;
  const row = rows[0] ?? (await pool.query<RunRow>('SELECT * FROM runs WHERE id = $1', [record.id])).rows[0];
  return { run: (await fromRows(pool, [row as RunRow]))[0] as RunRecord, inserted };
}

export async function readRun(pool: Queryable, tenantId: TenantId, id: RunId): Promise<RunRecord | undefined> {
  const { rows } = await pool.query<RunRow>({
    name: 'read-run',
    text: 'SELECT * FROM runs WHERE id = $1 AND tenant_id = $2',
    values: [id, tenantId],
  });
  return (await fromRows(pool, rows))[0];
}

/** Those of the given runs that exist, in no order. */
export async function readRuns(pool: Queryable, tenantId: TenantId, ids: readonly RunId[]): Promise<RunRecord[]> {
  const { rows } = await pool.query<RunRow>('SELECT * FROM runs WHERE id = ANY($1) AND tenant_id = $2', [
    ids,
    tenantId,
  ]);
  return fromRows(pool, rows);
}

export type RunListing = {
  tenantId: TenantId;
  first: number;
  /** A cursor made by `runCursor`. */
  after?: string | undefined;
  status?: readonly RunStatus[] | undefined;
  workflowId?: string | undefined;
  trigger?: { kind?: TriggerKind | undefined; id?: string | undefined } | null | undefined;
  /** All of them. */
  labels?: Labels | undefined;
  /** Those that nodes of this run have started; null is those that no other run has. Default is all. */
  parentRunId?: RunId | null | undefined;
  /** Those that have taken over results of this run. */
  rerunOf?: RunId | undefined;
};

/** Newest first. An `after` that is no cursor of ours gives the first page. */
export async function listRuns(pool: pg.Pool, listing: RunListing): Promise<RunPage> {
  const filters = ['tenant_id = $1'];
  const values: unknown[] = [listing.tenantId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  if (listing.workflowId !== undefined) filters.push(`workflow_id = ${bind(listing.workflowId)}`);
  if (listing.trigger?.kind) filters.push(`trigger_kind = ${bind(listing.trigger.kind)}`);
  if (listing.trigger?.id) filters.push(`trigger_id = ${bind(listing.trigger.id)}`);
  if (listing.labels !== undefined) filters.push(`labels @> ${bind(JSON.stringify(listing.labels))}`);
  if (listing.parentRunId === null) filters.push('parent_run_id IS NULL');
  else if (listing.parentRunId !== undefined) filters.push(`parent_run_id = ${bind(listing.parentRunId)}`);
  if (listing.rerunOf !== undefined) filters.push(`rerun_of = ${bind(listing.rerunOf)}`);
  if (listing.status !== undefined) filters.push(`status = ANY(${bind(listing.status)})`);
  const counting = pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM runs WHERE ${filters.join(' AND ')}`,
    [...values],
  );
  const after = listing.after === undefined ? undefined : parseCursor(listing.after);
  if (after) filters.push(`(created_at, id) < (${bind(after.createdAt)}, ${bind(after.id)})`);
  const paging = pool.query<RunRow>(
    `SELECT * FROM runs WHERE ${filters.join(' AND ')} ORDER BY created_at DESC, id DESC LIMIT ${bind(listing.first + 1)}`,
    values,
  );
  const [count, page] = await Promise.all([counting, paging]);
  return {
    rows: await fromRows(pool, page.rows.slice(0, listing.first)),
    totalCount: count.rows[0]?.count ?? 0,
    hasNextPage: page.rows.length > listing.first,
  };
}

/** The place of a run in `listRuns`. */
export function runCursor(run: Pick<RunRecord, 'id' | 'createdAt'>): string {
  return Buffer.from(`${run.createdAt.getTime()}/${run.id}`).toString('base64url');
}

/** Whether a text is what `runCursor` makes. */
export function isRunCursor(cursor: string): boolean {
  const place = parseCursor(cursor);
  return place !== undefined && !place.id.includes('\0') && runCursor({ ...place, id: runId(place.id) }) === cursor;
}

function parseCursor(cursor: string): { createdAt: Date; id: string } | undefined {
  const match = /^(\d{1,15})\/(.+)$/s.exec(Buffer.from(cursor, 'base64url').toString());
  return match ? { createdAt: new Date(Number(match[1])), id: match[2] as string } : undefined;
}

function parentOf({
  parent_run_id: parent,
  parent_node_id: node,
  parent_iteration: iteration,
}: RunRow): RunRecord['parent'] {
  return parent === null ? null : { runId: runId(parent), nodeId: nodeId(node ?? ''), iteration: iteration ?? '1' };
}

async function fromRows(pool: Queryable, rows: readonly RunRow[]): Promise<RunRecord[]> {
  const large = await readColumns(
    createPayloadStore(pool),
    rows.flatMap((row) => [row.input, row.output]),
  );
  return rows.map((row, index) => ({
    id: runId(row.id),
    tenantId: tenantId(row.tenant_id),
    workflowId: workflowId(row.workflow_id),
    version: row.version,
    definitionHash: definitionHash(row.definition_hash),
    status: row.status,
    input: large[index * 2] as Json,
    output: large[index * 2 + 1] as Json,
    error: row.error,
    idempotencyKey: row.idempotency_key,
    trigger: { kind: row.trigger_kind, id: row.trigger_id, source: row.trigger_source, depth: row.trigger_depth },
    parent: parentOf(row),
    subject: row.subject,
    rerun: row.rerun_of === null || row.rerun === null ? null : { of: runId(row.rerun_of), ...row.rerun },
    labels: row.labels,
    priority: row.priority,
    createdAt: row.created_at,
    startedAt: row.started_at,
    closedAt: row.closed_at,
    temporalRunId: row.temporal_run_id,
    eventCount: row.event_count,
    paused: row.paused,
  }));
}

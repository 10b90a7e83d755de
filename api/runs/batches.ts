import { randomUUIDv7 } from 'node:crypto';
import {
  cancelBatchRow,
  insertBatch,
  listBatchErrors,
  listBatches,
  readBatch,
} from '../../adapters/postgres/batch-store.ts';
import type { Transaction } from '../../adapters/postgres/record-events.ts';
import { AppError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import {
  BATCH_STATUSES_OF,
  type BatchError,
  type BatchFilter,
  type BatchOperation,
  type BatchRecord,
} from '../../domain/runs/batches/batch.ts';
import { parseLabels } from '../../domain/runs/flow-control/labels.ts';
import type { RunStatus } from '../../domain/runs/run-status.ts';
import type { Principal } from '../access/principal.ts';
import { argumentInvalid, type Connection, connectionOf, pageSize } from '../graphql/connection.ts';
import type { RunsDeps } from './deps.ts';
import { parseMapping } from './fleet-check.ts';
import type { PageArguments } from './read-runs.ts';
import { batchStarted, changed } from './recorded-changes.ts';

export type StartBatch = {
  operation: BatchOperation;
  filter: {
    status?: readonly RunStatus[] | null | undefined;
    workflowId?: string | null | undefined;
    labels?: Json | undefined;
    createdAfter?: Date | null | undefined;
    createdBefore?: Date | null | undefined;
  };
  /** For MIGRATE. */
  migration?: { toVersion?: number | null | undefined; mapping?: Json | undefined } | null | undefined;
  reason?: string | null | undefined;
  dryRun?: boolean | null | undefined;
};

const REASON_LENGTH = 1_000;

/** Chooses the runs at once and leaves the work to the runner. @throws INPUT_INVALID */
export async function startBatch(
  deps: Pick<RunsDeps, 'pool' | 'log' | 'wakeBatches'>,
  principal: Principal,
  { operation, filter, migration, reason = null, dryRun }: StartBatch,
): Promise<BatchRecord> {
  if (reason !== null && (reason.length > REASON_LENGTH || reason.includes('\0'))) {
    throw argumentInvalid('reason', `must be a text of at most ${REASON_LENGTH} characters`);
  }
  if (operation === 'COUNTERFACTUAL') throw argumentInvalid('operation', 'is started by the mutation counterfactual');
  const wanted = {
    id: `batch-${randomUUIDv7()}`,
    tenantId: principal.tenantId,
    operation,
    filter: chosen(operation, filter),
    migration: migrationOf(operation, filter, migration ?? null),
    whatIf: null,
    reason,
    dryRun: dryRun ?? false,
    createdBy: principal.subject,
  };
  const insert = (client: Transaction) => insertBatch(client, wanted);
  const batch = await changed(deps, principal, insert, (made) => batchStarted(made, principal.subject));
  deps.log.info({ batchId: batch.id, operation, total: batch.total, dryRun: batch.dryRun }, 'batch started');
  deps.wakeBatches();
  return batch;
}

/** @throws INPUT_INVALID */
function migrationOf(
  operation: BatchOperation,
  { workflowId = null }: StartBatch['filter'],
  migration: Exclude<StartBatch['migration'], undefined>,
): BatchRecord['migration'] {
  if (operation !== 'MIGRATE') {
    if (migration !== null) throw argumentInvalid('migration', 'is for MIGRATE alone');
    return null;
  }
  if (workflowId === null)
    throw argumentInvalid('filter/workflowId', 'is needed to migrate: versions are of one workflow');
  return { toVersion: migration?.toVersion ?? null, mapping: parseMapping(migration?.mapping) };
}

function chosen(operation: BatchOperation, filter: StartBatch['filter']): BatchFilter {
  const { status, workflowId = null, labels, createdAfter = null, createdBefore = null } = filter;
  if (workflowId?.includes('\0')) throw argumentInvalid('filter/workflowId', 'is not valid');
  return {
    status: status ?? BATCH_STATUSES_OF[operation],
    workflowId,
    labels: parseLabels(labels),
    createdAfter,
    createdBefore,
  };
}

/** @throws NOT_FOUND, BATCH_CLOSED */
export async function cancelBatch(
  deps: Pick<RunsDeps, 'pool' | 'log'>,
  principal: Principal,
  id: string,
): Promise<BatchRecord> {
  const before = await readBatchOf(deps, principal, id);
  if (!before) throw new AppError('NOT_FOUND', { what: 'Batch', id });
  const batch = await changed(
    deps,
    principal,
    (client) => cancelBatchRow(client, principal.tenantId, id),
    ({ done, failed }) => ({ type: 'batch.cancelled', id, payload: { id, done, failed, by: principal.subject } }),
  );
  if (!batch) throw new AppError('BATCH_CLOSED', { id, batchStatus: before.status });
  deps.log.info({ batchId: id, done: batch.done, total: batch.total }, 'batch cancelled');
  return batch;
}

export async function readBatchOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  id: string,
): Promise<BatchRecord | undefined> {
  return id.includes('\0') ? undefined : readBatch(pool, tenantId, id);
}

/** Newest first. @throws INPUT_INVALID */
export async function listBatchesOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  { tenantId }: Principal,
  filter: PageArguments,
): Promise<Connection<BatchRecord>> {
  const after = filter.after ?? undefined;
  const place = after === undefined ? undefined : parseCursor(after);
  const page = await listBatches(pool, { tenantId, first: pageSize(filter.first, 20, 100), after: place });
  return connectionOf(page, batchCursor, after);
}

/** @throws INPUT_INVALID */
export async function listErrorsOf(
  { pool }: Pick<RunsDeps, 'pool'>,
  batch: BatchRecord,
  { first, after }: PageArguments,
): Promise<BatchError[]> {
  return listBatchErrors(pool, batch.id, { first: pageSize(first, 100, 1_000), after: after ?? '' });
}

const batchCursor = ({ createdAt, id }: Pick<BatchRecord, 'createdAt' | 'id'>): string =>
  Buffer.from(`${createdAt.getTime()}/${id}`).toString('base64url');

function parseCursor(cursor: string): { createdAt: Date; id: string } {
  const match = /^(\d{1,15})\/(batch-[\w-]+)$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (!match) throw argumentInvalid('after', 'is no cursor of this list');
  return { createdAt: new Date(Number(match[1])), id: String(match[2]) };
}

import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { readTraceparent } from '../adapters/postgres/admissions.ts';
import { readDefinitionByHash } from '../adapters/postgres/definition-store.ts';
import { readBeginning } from '../adapters/postgres/rerun-store.ts';
import { AppError } from '../domain/errors.ts';
import type { TenantWeights } from '../domain/runs/flow-control/tenant-turns.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';

export type StoredRunDeps = { pool: pg.Pool; clientOf: (tenantId: string) => Client; tenantWeights: TenantWeights };

const CALL_DEADLINE_MS = 10_000;

/** Starts, in the trace of the request that asked for it, a run whose row is there. Idempotent. @throws NOT_FOUND */
export async function startStoredRun({ pool, clientOf, tenantWeights }: StoredRunDeps, run: RunRecord): Promise<void> {
  const published = await readDefinitionByHash(pool, run.definitionHash);
  if (!published) throw new AppError('NOT_FOUND', { what: 'Definition', id: run.definitionHash });
  const beginning = run.rerun ? await readBeginning(pool, run.id) : null;
  const client = clientOf(run.tenantId);
  const traceparent = await readTraceparent(pool, run.id);
  await client.withDeadline(Date.now() + CALL_DEADLINE_MS, () =>
    startRunWorkflow(client, run, published.definition, { traceparent, tenantWeights, beginning }),
  );
}

import type pg from 'pg';
import { insertRun } from '../adapters/postgres/run-store.ts';
import { DEFAULT_TENANT, definitionHash, runId, tenantId, workflowId } from '../domain/identifiers.ts';

/** The row of a run that nothing is known of but whose it is. */
export async function insertTestRun(pool: pg.Pool, id: string, tenant: string = DEFAULT_TENANT): Promise<void> {
  await insertRun(pool, {
    ...{ id: runId(id), tenantId: tenantId(tenant), workflowId: workflowId('asks'), version: 1, input: null },
    ...{ definitionHash: definitionHash('0'.repeat(64)), idempotencyKey: null, createdAt: new Date() },
  });
}

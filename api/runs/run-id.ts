import { randomUUIDv7 } from 'node:crypto';
import { runId, type RunId, type TenantId } from '../../domain/identifiers.ts';
import { contentHash } from '../../temporal/content-hash.ts';

/** Without a key: random, sorted by time of making. With one: the same for the same key of the same workflow. */
export function newRunId(tenantId: TenantId, workflowId: string, idempotencyKey: string | null): RunId {
  if (idempotencyKey === null) return runId(`run-${randomUUIDv7()}`);
  return runId(`run-${contentHash(JSON.stringify([tenantId, workflowId, idempotencyKey])).slice(0, 32)}`);
}

import type { BatchOperation } from '../../domain/runs/batches/batch.ts';
import { batchActs } from './batch-acts.ts';
import type { BatchAct } from './batch-runner.ts';
import type { RunsDeps } from './deps.ts';
import type { TenantDeps } from './tenant-deps.ts';

/** What batches do, each run as the principal of its batch. */
export function tenantActs(deps: RunsDeps, tenants: TenantDeps): Record<BatchOperation, BatchAct> {
  const operations = Object.keys(batchActs(deps)) as BatchOperation[];
  const actOf =
    (operation: BatchOperation): BatchAct =>
    (principal, runId, batch) =>
      batchActs(tenants.of(principal))[operation](principal, runId, batch);
  return Object.fromEntries(operations.map((operation) => [operation, actOf(operation)])) as Record<
    BatchOperation,
    BatchAct
  >;
}

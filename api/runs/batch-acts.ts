import { listNodeExecutions } from '../../adapters/postgres/node-store.ts';
import { AppError } from '../../domain/errors.ts';
import { runId as asRunId } from '../../domain/identifiers.ts';
import type { BatchOperation } from '../../domain/runs/batches/batch.ts';
import type { Principal } from '../access/principal.ts';
import { askToCancel, askToTerminate } from './answer-run.ts';
import type { BatchAct } from './batch-runner.ts';
import { runCounterfactual } from './counterfactual.ts';
import type { RunsDeps } from './deps.ts';
import { migrateRun } from './migrate-run.ts';
import { pauseRun, resumeRun, retryNode } from './operate-run.ts';
import { inTenant } from './tenant-deps.ts';

/** A run that takes longer goes over by itself; its batch has the others to see to. */
const MIGRATION_WAIT_MS = 3_000;

/** The operations of a batch are those that single runs have. */
export function batchActs(deps: RunsDeps): Record<BatchOperation, BatchAct> {
  const acts = actsWith(deps);
  const inTheirTenant = Object.entries(acts).map(([name, act]) => {
    const operation: BatchAct = (principal, ...rest) =>
      actsWith(inTenant(deps, principal.tenantId))[name as BatchOperation](principal, ...rest);
    return [name, deps.temporalOf === undefined ? act : operation];
  });
  return Object.fromEntries(inTheirTenant) as Record<BatchOperation, BatchAct>;
}

function actsWith(deps: RunsDeps): Record<BatchOperation, BatchAct> {
  return {
    CANCEL: async (principal, runId, { reason }) => void (await askToCancel(deps, principal, runId, reason)),
    TERMINATE: async (principal, runId, { reason }) => void (await askToTerminate(deps, principal, runId, reason)),
    PAUSE: async (principal, runId, { reason }) => void (await pauseRun(deps, principal, runId, reason)),
    COUNTERFACTUAL: async (principal, runId, batch) => void (await runCounterfactual(deps, principal, runId, batch)),
    RESUME: async (principal, runId) => void (await resumeRun(deps, principal, runId)),
    RETRY: (principal, runId) => retryFailedNodes(deps, principal, runId),
    MIGRATE: async (principal, runId, { reason, migration }) =>
      void (await migrateRun(deps, principal, { runId, ...migration, reason }, MIGRATION_WAIT_MS)),
  };
}

/** One that goes on already is passed over, as after a process that died between two of them. @throws NOT_RETRYABLE */
async function retryFailedNodes(deps: RunsDeps, principal: Principal, runId: string): Promise<void> {
  const failed = (await listNodeExecutions(deps.pool, asRunId(runId))).filter(
    ({ status, handled }) => status === 'FAILED' && !handled,
  );
  let refused: unknown = new AppError('NOT_RETRYABLE', { nodeId: '', detail: 'no node of the run has failed' });
  let retried = 0;
  for (const { nodeId, iteration } of failed) {
    try {
      await retryNode(deps, principal, { runId, nodeId, path: iteration });
      retried += 1;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'NOT_RETRYABLE') throw error;
      refused = error;
    }
  }
  if (retried === 0) throw refused;
}

import { markFiringFailed, markFiringStarted, otherHolders } from '../../adapters/postgres/trigger-firing-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import { toRunError } from '../../domain/runs/run-error.ts';
import { type Firing, MOST_ATTEMPTS, retryDelayMs } from '../../domain/runs/triggers/firing.ts';
import { isWorkflowOpen } from '../../temporal/wake-run.ts';
import type { Principal } from '../access/principal.ts';
import { toAppError } from '../graphql/to-app-error.ts';
import { terminateRun } from './answer-run.ts';
import type { RunsDeps } from './deps.ts';
import { executeWorkflow } from './execute-workflow.ts';
import { inTenant } from './tenant-deps.ts';

/**
 * Starts the run of a firing and notes it. However often this is done, and by however many at once, it is one run.
 * @throws what executeWorkflow throws, after noting it
 */
export async function startFiring(system: RunsDeps, firing: Firing): Promise<RunRecord> {
  const { id, tenantId, kind, triggerId, source, depth } = firing;
  const deps = inTenant(system, tenantId);
  const principal: Principal = { tenantId, subject: null };
  try {
    if (kind === 'SCHEDULE') await endOrphans(deps, principal, firing);
    const run = await executeWorkflow(deps, principal, {
      workflowId: firing.workflowId,
      input: firing.input,
      version: firing.version,
      idempotencyKey: id,
      trigger: { kind, id: triggerId, source, depth },
    });
    await markFiringStarted(deps.pool, id, run.id);
    return run;
  } catch (error) {
    const known = toAppError(error) ?? new AppError('INTERNAL', {}, error);
    const again = known.retryable && firing.attempts < MOST_ATTEMPTS;
    await markFiringFailed(deps.pool, id, toRunError(known, null), again ? retryDelayMs(firing.attempts) : null);
    const text = again ? 'a firing could not start its run yet' : 'a firing is dead';
    deps.log.info({ firingId: id, kind, triggerId, code: known.code, attempts: firing.attempts }, text);
    throw error;
  }
}

/** A schedule's run whose holder was terminated, as the policy TERMINATE_OTHER does, ends with it. */
async function endOrphans(deps: RunsDeps, principal: Principal, firing: Firing): Promise<void> {
  for (const { holderId, runId } of await otherHolders(deps.pool, firing)) {
    if (await isWorkflowOpen(deps.temporal, holderId)) continue;
    await terminateRun(deps, principal, runId, 'The schedule terminated it').catch(ifClosed);
  }
}

/** For what is done to a run that may have ended meanwhile. */
export function ifClosed(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'RUN_CLOSED')) throw error;
}

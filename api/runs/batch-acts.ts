import type { BatchOperation } from '../../domain/runs/batches/batch.ts';
import { askToCancel, askToTerminate } from './answer-run.ts';
import type { BatchAct } from './batch-runner.ts';
import type { RunsDeps } from './deps.ts';

/** The operations of a batch are those that single runs have. */
export function batchActs(deps: RunsDeps): Record<BatchOperation, BatchAct> {
  const closing =
    (ask: typeof askToCancel): BatchAct =>
    async (principal, runId, reason) => {
      await ask(deps, principal, runId, reason);
    };
  return { CANCEL: closing(askToCancel), TERMINATE: closing(askToTerminate) };
}

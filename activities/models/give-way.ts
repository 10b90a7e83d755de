import type { Info } from '@temporalio/activity';
import { AppError } from '../../domain/errors.ts';
import { RUN_WORKFLOW_TYPE } from '../../domain/runs/messages.ts';
import { PARKED } from '../../domain/runs/run-error.ts';

/** Between two rounds of attempts, where the vendor does not say how long. */
const RATE_LIMIT_MS = 60_000;

/**
 * What a call that has to wait fails with. In a run of ours the engine waits by a timer, however long, and that is no attempt; a rate
 * limit comes to it when the attempts are used up. A workflow written by hand knows no such wait: its retry policy has to do.
 */
export function giveWay(error: unknown, { attempt, retryPolicy, workflowType }: Info): unknown {
  if (!(error instanceof AppError)) return error;
  const isOurs = workflowType === RUN_WORKFLOW_TYPE;
  if (error.code === PARKED && !isOurs) {
    const { until, detail } = error.fields;
    return new AppError(
      'MODEL_RATE_LIMITED',
      { provider: 'weft', detail, retryAfterMs: Number(until) - Date.now() },
      error,
    );
  }
  const attempts = retryPolicy?.maximumAttempts ?? 0;
  if (error.code !== 'MODEL_RATE_LIMITED' || !isOurs || attempts === 0 || attempt < attempts) return error;
  const asked = error.fields['retryAfterMs'];
  const wait = typeof asked === 'number' && asked > 0 ? asked : RATE_LIMIT_MS;
  const until = Date.now() + Math.ceil(wait);
  return new AppError(
    PARKED,
    { ...error.fields, until, opensAt: new Date(until).toISOString(), detail: error.message },
    error,
  );
}

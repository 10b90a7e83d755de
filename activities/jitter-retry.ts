import type { Info } from '@temporalio/activity';
import { ApplicationFailure, type Duration } from '@temporalio/common';
import { backoffMs, jitteredMs } from '../domain/runs/retry-delay.ts';

/** The failure of an attempt with a wait of its own before the next; others, and those that are final, pass untouched. */
export function jitterRetry(
  error: unknown,
  { attempt, retryPolicy }: Pick<Info, 'attempt' | 'retryPolicy'>,
  jitter: number,
  random: () => number = Math.random,
): unknown {
  if (!(error instanceof ApplicationFailure) || error.nonRetryable || !(jitter > 0)) return error;
  const asked = error.nextRetryDelay;
  const wait =
    asked === undefined || asked === null
      ? { backoffMs: backoffMs(backoffOf(retryPolicy), attempt) }
      : { askedMs: asked as number };
  return ApplicationFailure.create({
    message: error.message,
    ...(error.type ? { type: error.type } : {}),
    ...(error.details ? { details: error.details } : {}),
    ...(error.cause ? { cause: error.cause } : {}),
    nextRetryDelay: jitteredMs(wait, Math.min(jitter, 1), random()) satisfies Duration,
  });
}

/** A policy read back from the server has its intervals in ms. */
function backoffOf(policy: Info['retryPolicy']) {
  const ms = (interval: unknown) => (typeof interval === 'number' ? interval : undefined);
  return {
    initialIntervalMs: ms(policy?.initialInterval),
    backoffCoefficient: policy?.backoffCoefficient,
    maximumIntervalMs: ms(policy?.maximumInterval),
  };
}

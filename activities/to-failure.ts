import { ApplicationFailure, CancelledFailure, type Duration } from '@temporalio/common';
import { AppError } from '../domain/errors.ts';

/**
 * An error as Temporal keeps it: type = code of the error table, `nonRetryable` by the table, details = the fields and the hint.
 * Causes stay behind, for their messages were not written for readers of a history.
 */
export function toFailure(error: unknown): Error {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  const known =
    error instanceof AppError ? error : new AppError('NODE_FAILED', { detail: 'The node failed unexpectedly' }, error);
  const wait = known.fields['retryAfterMs'];
  return ApplicationFailure.create({
    type: known.code,
    message: known.message,
    nonRetryable: !known.retryable,
    details: [{ ...known.fields, ...(known.hint === undefined ? {} : { hint: known.hint }) }],
    ...(typeof wait === 'number' ? { nextRetryDelay: wait satisfies Duration } : {}),
  });
}

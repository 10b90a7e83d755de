import { ApplicationFailure } from '@temporalio/workflow';
import { AppError } from '../../domain/errors.ts';

/** A plain Error would retry the workflow task for ever; a failure with the code as its type ends what asked for it. */
export function toApplicationFailure(error: unknown): ApplicationFailure {
  if (error instanceof AppError) {
    return ApplicationFailure.nonRetryable(error.message, error.code, { ...error.fields, hint: error.hint ?? null });
  }
  return ApplicationFailure.nonRetryable(error instanceof Error ? error.message : String(error), 'INTERNAL');
}

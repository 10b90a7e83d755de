import { isGrpcServiceError } from '@temporalio/client';

const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

/** Whether a call failed because Temporal did not answer, not because of what was asked. */
export function isTemporalUnavailable(error: unknown): error is Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isGrpcServiceError(cause)) return [DEADLINE_EXCEEDED, UNAVAILABLE].includes(Number(cause.code));
  }
  return false;
}

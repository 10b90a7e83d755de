import { AppError, ERRORS, isErrorCode } from '../errors.ts';
import { isJsonObject } from '../json.ts';
import type { RunError } from './run-event.ts';
import { NodeFailure } from './run-inline-node.ts';

export function toRunError(error: unknown, nodeId: string | null): RunError {
  if (error instanceof NodeFailure) return { code: error.code, message: error.message, nodeId, hint: null };
  const known = error instanceof AppError ? error : new AppError('INTERNAL', {}, error);
  return { code: known.code, message: known.message, nodeId, hint: known.hint ?? null };
}

/** A failure as it comes back from an activity: `type` is the error code, kept over Temporal's boundary. */
export function failureToRunError(type: string | null | undefined, message: string, nodeId: string | null): RunError {
  // Codes that a definition's `fail` nodes name are not of the table.
  if (!isErrorCode(type)) return { code: isOwnCode(type) ? type : 'NODE_FAILED', message, nodeId, hint: null };
  const row = ERRORS[type];
  return { code: type, message, nodeId, hint: 'hint' in row ? row.hint : null };
}

/** The type of the failure by which an activity says that it may not go on before a moment. */
export const PARKED = 'CALL_PARKED';

/** That moment in ms, when the failure of an activity is of that kind; `details` are the fields of the error. */
export function parkedUntil(type: string | null | undefined, details: unknown): number | null {
  const until = type === PARKED && isJsonObject(details) ? details['until'] : null;
  return typeof until === 'number' ? until : null;
}

const isOwnCode = (type: string | null | undefined): type is string => /^[A-Z][A-Z0-9_]+$/.test(type ?? '');

/** `timeoutType` in Temporal's words: START_TO_CLOSE, SCHEDULE_TO_START, SCHEDULE_TO_CLOSE or HEARTBEAT. */
export function timeoutToRunError(timeoutType: string, nodeId: string | null): RunError {
  return toRunError(new AppError('NODE_TIMED_OUT', { timeoutType }), nodeId);
}

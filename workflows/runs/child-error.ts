import {
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { AppError } from '../../domain/errors.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { failureToRunError, timeoutToRunError, toRunError } from '../../domain/runs/run-error.ts';
import type { RunError } from '../../domain/runs/run-event.ts';

/** The cause of a failed child run as the engine's error; the projector makes the same of the history event. */
export function childError(error: unknown, nodeId: string): RunError {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
  if (isCancellation(error)) return toRunError(new AppError('CHILD_CANCELLED'), nodeId);
  if (cause instanceof TerminatedFailure) return toRunError(new AppError('CHILD_TERMINATED'), nodeId);
  if (cause instanceof TimeoutFailure) return timeoutToRunError('START_TO_CLOSE', nodeId);
  if (!(cause instanceof ApplicationFailure)) {
    return toRunError(
      new AppError('NODE_FAILED', { detail: 'The child run could not be started: its id is taken' }),
      nodeId,
    );
  }
  const base = failureToRunError(cause.type, cause.message, nodeId);
  const details = (cause.details?.[0] ?? null) as Json;
  const hint = isJsonObject(details) && typeof details['hint'] === 'string' ? details['hint'] : null;
  return { ...base, code: cause.type ?? base.code, hint };
}

import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { failureToRunError, parkedUntil, timeoutToRunError } from '../../domain/runs/run-error.ts';
import type { RunError } from '../../domain/runs/run-event.ts';

/** The cause of a failed activity as the engine's error; the projector makes the same of the history event. */
export function activityError(error: unknown, nodeId: string): RunError {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return timeoutToRunError(cause.timeoutType ?? 'UNSPECIFIED', nodeId);
  if (cause instanceof ApplicationFailure) return failureToRunError(cause.type, cause.message, nodeId);
  return failureToRunError(null, cause instanceof Error ? cause.message : String(cause), nodeId);
}

/** When an activity that gave way may go on, in ms; null where it failed. */
export function parkedActivity(error: unknown): number | null {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? parkedUntil(cause.type, cause.details?.[0]) : null;
}

import type { Json } from '../../domain/json.ts';
import { type Labels, parseLabels } from '../../domain/runs/flow-control/labels.ts';
import { PRIORITY } from '../../domain/runs/flow-control/flow-policies.ts';
import { LIMITS } from '../../domain/runs/limits.ts';
import { argumentInvalid } from '../graphql/connection.ts';

/** How a run is to be started, as it is asked for. */
export type StartRequest = {
  /** 1 (first) to 5 (last); default is the definition's. */
  priority?: number | null | undefined;
  /** An object of texts. */
  labels?: Json | undefined;
  startAt?: Date | null | undefined;
  delayMs?: number | null | undefined;
  /** Answers when the run is closed, or with the open run after this long. */
  waitMs?: number | null | undefined;
};
export type StartOptions = {
  priority: number | null;
  labels: Labels;
  startAt: Date | null;
  delayMs: number;
  waitMs: number;
};

/** @throws INPUT_INVALID */
export function startOptions(request: StartRequest): StartOptions {
  const { startAt = null, delayMs, waitMs, priority = null } = request;
  if (priority !== null && (priority < PRIORITY.first || priority > PRIORITY.last)) {
    throw argumentInvalid('priority', `must be ${PRIORITY.first} to ${PRIORITY.last}`);
  }
  if (startAt !== null && startAt.getTime() > Date.now() + LIMITS.timeoutMs) {
    throw argumentInvalid('startAt', 'must be within a year');
  }
  return {
    priority,
    labels: parseLabels(request.labels),
    startAt,
    delayMs: milliseconds('delayMs', delayMs),
    waitMs: milliseconds('waitMs', waitMs),
  };
}

function milliseconds(name: string, value: number | null | undefined): number {
  if (value === null || value === undefined) return 0;
  if (value >= 0 && value <= LIMITS.timeoutMs) return value;
  throw argumentInvalid(name, `must be 0 to ${LIMITS.timeoutMs}`);
}

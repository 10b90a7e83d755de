import type { ErrorCode } from '../errors.ts';

/** How a model of a provider has been doing. */
export type BreakerState = {
  /** In a row. */
  failures: number;
  /** Until when nobody asks; afterwards one call at a time tries it, until one succeeds. In ms since the epoch. */
  openUntil: number | null;
  /** Until when a trial is taken to be under way. */
  trialUntil: number | null;
  lastError: { code: ErrorCode; at: number } | null;
  lastSuccessAt: number | null;
};

export type BreakerPolicy = {
  /** Failures in a row that open it. */
  threshold: number;
  /** How long it stays open the first time; twice as long each further time, up to `longestMs`. */
  openMs: number;
  longestMs: number;
  /** How long a trial may take. */
  trialMs: number;
};

export const BREAKER_POLICY: BreakerPolicy = { threshold: 5, openMs: 10_000, longestMs: 300_000, trialMs: 60_000 };
export const CLOSED: BreakerState = {
  failures: 0,
  openUntil: null,
  trialUntil: null,
  lastError: null,
  lastSuccessAt: null,
};

const COUNTED: ReadonlySet<ErrorCode> = new Set(['MODEL_UNAVAILABLE', 'MODEL_OVERLOADED']);
const LEAST_WAIT_MS = 1_000;

/** 0 when it may be asked now, else how long to wait. */
export function waitOfBreaker({ openUntil, trialUntil }: BreakerState, now: number): number {
  if (openUntil === null) return 0;
  return Math.max(openUntil, trialUntil ?? 0, now) - now;
}

/** What asking does: the first one after an opening is the trial. */
export function begunOf(state: BreakerState, now: number, policy: BreakerPolicy): BreakerState {
  return state.openUntil === null ? state : { ...state, trialUntil: now + policy.trialMs };
}

export const succeededOf = (now: number): BreakerState => ({ ...CLOSED, lastSuccessAt: now });

/** A call that was given up says nothing about the provider. */
export const abandonedOf = (state: BreakerState): BreakerState => ({ ...state, trialUntil: null });

export function failedOf(
  state: BreakerState,
  { code, retryAfterMs }: { code: ErrorCode; retryAfterMs?: number },
  now: number,
  policy: BreakerPolicy,
): BreakerState {
  const lastError = { code, at: now };
  if (code === 'MODEL_RATE_LIMITED') {
    return { ...state, lastError, trialUntil: null, openUntil: now + Math.max(retryAfterMs ?? 0, LEAST_WAIT_MS) };
  }
  // An answer that refuses is an answer: the provider is there.
  if (!COUNTED.has(code)) return { ...CLOSED, lastError, lastSuccessAt: state.lastSuccessAt };
  const failures = state.failures + 1;
  const tripped = failures - policy.threshold;
  const backoff = tripped < 0 ? null : now + Math.min(policy.openMs * 2 ** tripped, policy.longestMs);
  const asked = retryAfterMs === undefined ? null : now + retryAfterMs;
  const openUntil = backoff === null && asked === null ? null : Math.max(backoff ?? 0, asked ?? 0);
  return { failures, lastError, openUntil, trialUntil: null, lastSuccessAt: state.lastSuccessAt };
}

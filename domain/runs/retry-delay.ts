/** Temporal header that carries a node's `retry.jitter` to its activity, where a failure says how long to wait. */
export const RETRY_JITTER_HEADER = 'weft-retry-jitter';

/** Temporal's defaults. */
const INITIAL_INTERVAL_MS = 1_000;
const BACKOFF_COEFFICIENT = 2;
const MAXIMUM_OVER_INITIAL = 100;

export type Backoff = {
  initialIntervalMs?: number | undefined;
  backoffCoefficient?: number | undefined;
  maximumIntervalMs?: number | undefined;
};

/** The server's own wait after attempt 1, 2, 3 ..., in ms. */
export function backoffMs(backoff: Backoff, attempt: number): number {
  const { initialIntervalMs = INITIAL_INTERVAL_MS, backoffCoefficient = BACKOFF_COEFFICIENT } = backoff;
  const { maximumIntervalMs = initialIntervalMs * MAXIMUM_OVER_INITIAL } = backoff;
  return Math.min(initialIntervalMs * backoffCoefficient ** (attempt - 1), maximumIntervalMs);
}

/**
 * How long to wait before the next attempt, so that many that failed together do not come back together. `random` is from [0, 1).
 * A wait that the other side has asked for is only ever made longer.
 */
export function jitteredMs(wait: { backoffMs: number } | { askedMs: number }, jitter: number, random: number): number {
  const part = jitter * random;
  return Math.max(1, Math.round('askedMs' in wait ? wait.askedMs * (1 + part) : wait.backoffMs * (1 - part)));
}

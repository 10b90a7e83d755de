import { describe, expect, it } from '@jest/globals';
import {
  abandonedOf,
  begunOf,
  type BreakerState,
  CLOSED,
  failedOf,
  succeededOf,
  waitOfBreaker,
} from './circuit-breaker.ts';

const POLICY = { threshold: 3, openMs: 100, longestMs: 350, trialMs: 50 };
const failTimes = (times: number, from: BreakerState = CLOSED, now = 0): BreakerState =>
  Array.from({ length: times }).reduce<BreakerState>(
    (state) => failedOf(state, { code: 'MODEL_UNAVAILABLE' }, now, POLICY),
    from,
  );

describe('the breaker of a model', () => {
  it('opens after a number of failures in a row, not before', () => {
    expect(waitOfBreaker(failTimes(2), 0)).toBe(0);
    expect(waitOfBreaker(failTimes(3), 0)).toBe(100);
    expect(waitOfBreaker(failTimes(3), 101)).toBe(0);
  });

  it('starts to count anew after a success', () => {
    expect(waitOfBreaker(failTimes(2, { ...failTimes(2), ...succeededOf(0) }), 0)).toBe(0);
  });

  it('lets one call try when its time is over, and the others wait for it', () => {
    const trial = begunOf(failTimes(3), 120, POLICY);
    expect(waitOfBreaker(trial, 130)).toBe(40);
    expect(waitOfBreaker(trial, 171)).toBe(0);
    expect(waitOfBreaker(abandonedOf(trial), 130)).toBe(0);
    expect(waitOfBreaker(succeededOf(130), 130)).toBe(0);
  });

  it('stays open twice as long each time a trial fails, up to a bound', () => {
    const waits = [4, 5, 9].map((times) => waitOfBreaker(failTimes(times), 0));
    expect(waits).toEqual([200, 350, 350]);
  });

  it('waits as long as a rate limit asks, without counting it as a failure', () => {
    const limited = failedOf(CLOSED, { code: 'MODEL_RATE_LIMITED', retryAfterMs: 7_000 }, 0, POLICY);
    expect(waitOfBreaker(limited, 0)).toBe(7_000);
    expect(limited.failures).toBe(0);
    const silent = failedOf(CLOSED, { code: 'MODEL_RATE_LIMITED' }, 0, POLICY);
    expect(waitOfBreaker(silent, 0)).toBe(1_000);
  });

  it('takes a refusal for a sign of life', () => {
    expect(waitOfBreaker(failedOf(failTimes(5), { code: 'MODEL_BAD_REQUEST' }, 0, POLICY), 0)).toBe(0);
  });
});

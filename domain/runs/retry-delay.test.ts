import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { backoffMs, jitteredMs } from './retry-delay.ts';

describe('backoffMs', () => {
  it('grows from the first interval by the coefficient up to the longest', () => {
    const backoff = { initialIntervalMs: 100, backoffCoefficient: 3, maximumIntervalMs: 1_000 };
    expect([1, 2, 3, 4].map((attempt) => backoffMs(backoff, attempt))).toEqual([100, 300, 900, 1_000]);
  });

  it('has the defaults of Temporal', () => {
    expect([1, 2, 3, 20].map((attempt) => backoffMs({}, attempt))).toEqual([1_000, 2_000, 4_000, 100_000]);
  });
});

describe('jitteredMs', () => {
  const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });

  it('shortens a backoff by at most the jitter and lengthens a wait that was asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 100_000 }), fraction, fraction, (ms, jitter, random) => {
        const shorter = jitteredMs({ backoffMs: ms }, jitter, random);
        expect(shorter).toBeLessThanOrEqual(ms);
        expect(shorter).toBeGreaterThanOrEqual(Math.floor(ms * (1 - jitter)));
        expect(jitteredMs({ askedMs: ms }, jitter, random)).toBeGreaterThanOrEqual(ms);
      }),
    );
  });

  it('never gives nothing, which would mean the usual backoff', () => {
    expect(jitteredMs({ backoffMs: 5 }, 1, 0.999)).toBe(1);
  });
});

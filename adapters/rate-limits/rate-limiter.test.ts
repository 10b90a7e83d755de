import { describe, expect, it } from '@jest/globals';
import { createMemoryRateLimiter } from './rate-limiter.ts';

const RATE = { perMinute: 60, burst: 10 };

describe('createMemoryRateLimiter', () => {
  it('lets through a burst, then one a second, each key by itself', async () => {
    let now = 1_000_000;
    const limiter = createMemoryRateLimiter(() => now);
    const taken = async (key: string) => (await limiter.take(key, RATE)).allowed;
    for (let n = 0; n < 10; n += 1) expect(await taken('a')).toBe(true);
    expect(await limiter.take('a', RATE)).toEqual({ allowed: false, remaining: 0, retryAfterMs: 1000 });
    expect(await taken('b')).toBe(true);
    now += 1000;
    expect([await taken('a'), await taken('a')]).toEqual([true, false]);
    now += 60_000;
    expect((await limiter.take('a', RATE)).remaining).toBe(9);
  });

  it('never lets through more than burst and rate allow, whatever the order', async () => {
    let now = 0;
    const limiter = createMemoryRateLimiter(() => now);
    let allowed = 0;
    for (let n = 0; n < 5000; n += 1) {
      now += (n * 7919) % 97;
      if ((await limiter.take('k', RATE)).allowed) allowed += 1;
    }
    expect(allowed).toBeLessThanOrEqual(10 + Math.floor(now / 1000));
    expect(allowed).toBeGreaterThanOrEqual(Math.floor(now / 1000));
  });

  it('counts a costly request for as many as it stands for, and lets one alone through that costs more than the burst', async () => {
    const limiter = createMemoryRateLimiter(() => 0);
    expect((await limiter.take('a', RATE, 8)).remaining).toBe(2);
    expect((await limiter.take('a', RATE, 5)).allowed).toBe(false);
    expect((await limiter.take('b', RATE, 50)).allowed).toBe(true);
    expect((await limiter.take('b', RATE)).allowed).toBe(false);
  });
});

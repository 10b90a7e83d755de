import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startRedis, type TestRedis } from '../../tests/redis-server.ts';
import { createRedisRateLimiter, type RedisRateLimiter } from './redis-rate-limiter.ts';

const RATE = { perMinute: 60, burst: 10 };

describe('createRedisRateLimiter', () => {
  let redis: TestRedis;
  let processes: RedisRateLimiter[];
  const failures: Error[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    processes = [0, 1, 2].map(() => createRedisRateLimiter(redis.url, (error) => failures.push(error)));
    for (const limiter of processes) await untilCounted(limiter);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(processes.map((limiter) => limiter.close()));
    await redis.stop();
  });

  it('counts over all processes, also when they ask at the same moment', async () => {
    const began = Date.now();
    const decisions = await Promise.all(
      Array.from({ length: 60 }, (_, index) => (processes[index % 3] as RedisRateLimiter).take('together', RATE)),
    );
    const allowed = decisions.filter((decision) => decision.allowed).length;
    expect(allowed).toBeGreaterThanOrEqual(RATE.burst);
    expect(allowed).toBeLessThanOrEqual(RATE.burst + Math.ceil((Date.now() - began) / 1_000));
    const refused = decisions.find((decision) => !decision.allowed);
    expect(refused?.remaining).toBe(0);
    expect(refused?.retryAfterMs).toBeGreaterThan(0);
    expect(refused?.retryAfterMs).toBeLessThanOrEqual(1_000);
  });

  it('counts a costly request for as many as it stands for, each key by itself', async () => {
    const [one, two] = processes as [RedisRateLimiter, RedisRateLimiter];
    expect(await one.take('costly', RATE, 9)).toMatchObject({ allowed: true, remaining: 1 });
    expect(await two.take('costly', RATE, 5)).toMatchObject({ allowed: false });
    expect(await two.take('other', RATE, 50)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await one.take('other', RATE)).toMatchObject({ allowed: false });
  });

  it('leaves nothing behind in Redis but what is still counted', async () => {
    for (const key of await redis.client.keys('weft:rate:*')) expect(await redis.client.pttl(key)).toBeGreaterThan(0);
  });

  it('goes on counting by itself while Redis is away, and together again afterwards', async () => {
    await redis.kill();
    const [limiter] = processes as [RedisRateLimiter];
    const alone = [];
    for (let n = 0; n < 12; n += 1) alone.push((await limiter.take('away', RATE)).allowed);
    expect(alone.slice(0, 10)).not.toContain(false);
    expect(alone).toContain(false);
    expect(failures.length).toBeGreaterThan(0);
    await redis.start();
    for (const one of processes) await untilCounted(one);
  }, 60_000);

  /** Until this process is connected: then Redis knows what was taken. */
  async function untilCounted(limiter: RedisRateLimiter): Promise<void> {
    for (let n = 0; ; n += 1) {
      const key = `ready ${n} ${Math.random()}`;
      await limiter.take(key, RATE);
      if ((await redis.client.exists(`weft:rate:${key}`)) === 1) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

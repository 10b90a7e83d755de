import { Redis } from 'ioredis';
import { createMemoryRateLimiter, type RateLimiter } from './rate-limiter.ts';

/** The same arithmetic as in memory, in one step on the server and by its clock. */
const TAKE = `
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), at)
local next = full + interval * cost
local wait = next - interval * math.max(burst, cost) - at
local held = full - at
if wait <= 0 then
  held = next - at
  redis.call('SET', KEYS[1], next, 'PX', math.max(1, math.ceil(held)))
end
return { wait <= 0 and 1 or 0, math.max(0, math.floor((interval * burst - held) / interval)), math.max(0, math.ceil(wait)) }
`;

export type RedisRateLimiter = RateLimiter & { close(): Promise<void> };

/** One count over all processes. While Redis does not answer each process counts by itself. */
export function createRedisRateLimiter(url: string, onError: (error: Error) => void): RedisRateLimiter {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, lazyConnect: false });
  redis.on('error', onError);
  const alone = createMemoryRateLimiter();
  return {
    async take(key, rate, cost = 1) {
      const numbers = [60_000 / rate.perMinute, rate.burst, cost];
      try {
        const [allowed, remaining, retryAfterMs] = (await redis.eval(TAKE, 1, `weft:rate:${key}`, ...numbers)) as [
          number,
          number,
          number,
        ];
        return { allowed: allowed === 1, remaining, retryAfterMs };
      } catch (error) {
        onError(error as Error);
        return alone.take(key, rate, cost);
      }
    },
    async close() {
      redis.disconnect();
    },
  };
}

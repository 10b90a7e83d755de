import { Redis } from 'ioredis';

export type RedisTexts = {
  get(key: string): Promise<string | null>;
  put(key: string, text: string): Promise<void>;
  close(): Promise<void>;
};

const CONNECT_MS = 2_000;
const ANSWER_MS = 500;
const MOST_PAUSE_MS = 2_000;

/** Texts under a prefix, forgotten when nobody has asked for them for so many seconds. */
export function openRedisTexts(
  url: string,
  { prefix, seconds, onError }: { prefix: string; seconds: number; onError: (error: unknown) => void },
): RedisTexts {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: (times) => Math.min(times * 100, MOST_PAUSE_MS),
  });
  redis.on('error', onError);
  return {
    get: (key) => redis.getex(prefix + key, 'EX', seconds),
    put: async (key, text) => void (await redis.set(prefix + key, text, 'EX', seconds)),
    async close() {
      redis.disconnect();
    },
  };
}

import { Redis } from 'ioredis';
import { AppError } from '../../domain/errors.ts';
import { shownEvent } from '../../domain/events/shown-event.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';

export type RedisEventStream = {
  /** In order of positions. What is there already is passed over. @throws when Redis did not take all of it */
  publish(tenantId: string, events: readonly StoredEvent[]): Promise<void>;
  /** The position of the last event that was ever published; 0 when the stream is not there. */
  lastPosition(tenantId: string): Promise<bigint>;
  close(): Promise<void>;
};

/**
 * An entry's id is the event's position, so Redis itself refuses an event that it has, and readers resume by position. The script
 * stops at the first entry that is refused for another reason: nothing comes after a gap.
 */
const PUBLISH = `
for i = 2, #ARGV, 6 do
  local added = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], ARGV[i] .. '-0',
    'id', ARGV[i + 1], 'type', ARGV[i + 2], 'stream', ARGV[i + 3], 'version', ARGV[i + 4], 'event', ARGV[i + 5])
  if type(added) == 'table' and added.err and not string.find(added.err, 'equal or smaller') then return added end
end
return 'OK'`;

const CONNECT_MS = 2_000;
const ANSWER_MS = 5_000;
const MOST_PAUSE_MS = 2_000;

/** One stream a tenant, `weft:events:{<tenant>}`, cut at about `most` entries. */
export function openRedisEventStream(
  url: string,
  { most, onError }: { most: number; onError: (error: unknown) => void },
): RedisEventStream {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    retryStrategy: (times) => Math.min(times * 100, MOST_PAUSE_MS),
  });
  redis.on('error', onError);
  const connected = async () => {
    if (redis.status === 'wait' || redis.status === 'end') await redis.connect();
    if (redis.status !== 'ready')
      throw new AppError('REDIS_UNAVAILABLE', { detail: `the connection is ${redis.status}` });
  };
  return {
    async publish(tenantId, events) {
      await connected();
      const fields = events.flatMap((event) => {
        const { position, eventId, type, streamId, version } = event;
        return [String(position), eventId, type, streamId, String(version), JSON.stringify(shownEvent(event))];
      });
      await redis.eval(PUBLISH, 1, streamKey(tenantId), String(most), ...fields);
    },
    async lastPosition(tenantId) {
      await connected();
      if ((await redis.exists(streamKey(tenantId))) === 0) return 0n;
      const info = (await redis.xinfo('STREAM', streamKey(tenantId))) as unknown[];
      const last = info[info.indexOf('last-generated-id') + 1];
      return BigInt(String(last).split('-')[0] ?? 0);
    },
    async close() {
      redis.disconnect();
    },
  };
}

export const streamKey = (tenantId: string): string => `weft:events:{${tenantId}}`;

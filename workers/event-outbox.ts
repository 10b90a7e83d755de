import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { rewindSubscription, tenantsBehind } from '../adapters/postgres/behind-subscriptions.ts';
import { consumeOnce, createSubscription } from '../adapters/postgres/subscriptions.ts';
import type { RedisEventStream } from '../adapters/redis/redis-event-stream.ts';

const NAME = 'weft.redis-outbox';
const IDLE_MS = 100;
/** How often it is looked whether Redis still has what it took. */
const CHECK_MS = 30_000;
/** Redis may be away for long: an event is never given up. */
const LIMITS = { batch: 200, maxAttempts: Number.MAX_SAFE_INTEGER, backoffMs: 200, maxBackoffMs: 5_000 };

export type EventOutboxOptions = {
  pool: pg.Pool;
  stream: RedisEventStream;
  log: { warn: (fields: object, message: string) => void };
};

/**
 * Publishes the events of every tenant, each tenant's in the order of their positions. Any number of processes may do it: one at a
 * time works on a tenant. A process that is killed leaves nothing out, as the place reached is kept only after Redis has the events.
 */
export function startEventOutbox({ pool, stream, log }: EventOutboxOptions): { stop: () => Promise<void> } {
  const stopping = new AbortController();
  const checked = new Map<string, number>();
  const publish = async (tenantId: string) => {
    if (performance.now() - (checked.get(tenantId) ?? -Infinity) > CHECK_MS) {
      await rewindToRedis(pool, stream, tenantId, log);
      checked.set(tenantId, performance.now());
    }
    const handler = (events: Parameters<RedisEventStream['publish']>[1]) => stream.publish(tenantId, events);
    const onError = (error: unknown) => log.warn({ err: error, tenantId }, 'events did not reach Redis; tried again');
    return consumeOnce(pool, { tenantId, name: NAME }, handler, { ...LIMITS, onError });
  };
  const round = async (): Promise<boolean> => {
    const behind = await tenantsBehind(pool, NAME);
    for (const { tenantId } of behind.filter(({ isNew }) => isNew)) {
      await createSubscription(pool, { tenantId, name: NAME, partitions: 1 });
    }
    const outcomes: string[] = [];
    for (const { tenantId } of behind) if (!stopping.signal.aborted) outcomes.push(await publish(tenantId));
    return outcomes.includes('done');
  };
  const work = async () => {
    while (!stopping.signal.aborted) {
      const worked = await round().catch((error: unknown) => {
        checked.clear();
        log.warn({ err: error }, 'publishing events to Redis failed; tried again');
        return false;
      });
      if (!worked) await sleep(IDLE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const done = work();
  return {
    async stop() {
      stopping.abort();
      await done;
      await stream.close();
    },
  };
}

/** A Redis that was emptied, or that lost its end when it failed over, gets what it lacks. */
async function rewindToRedis(
  pool: pg.Pool,
  stream: RedisEventStream,
  tenantId: string,
  log: EventOutboxOptions['log'],
): Promise<void> {
  const position = await stream.lastPosition(tenantId);
  if (await rewindSubscription(pool, { tenantId, name: NAME, position })) {
    log.warn({ tenantId, position: Number(position) }, 'Redis has less than it took; events from there on go again');
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import { handleQueuedLetter, insertDeadLetter } from './dead-letters.ts';
import { readEventPart } from './event-store.ts';
import type { Queryable } from './payload-store.ts';
import {
  type Attempt,
  backoffMs,
  type ConsumerLimits,
  type ConsumerOptions,
  type SubscriptionName,
} from './subscription-attempt.ts';
import { inTransaction } from './transaction.ts';

export type NewSubscription = SubscriptionName & {
  /** How many consumers can work at once; fixed when it is made. */
  partitions: number;
  types?: readonly string[];
  /** The events after this position; 0 is from the first. */
  after?: bigint;
};

/**
 * What the handler writes with `client` is committed together with the place reached, or not at all. What it does elsewhere may be
 * done again: use the events' ids.
 */
export type EventHandler = (events: readonly StoredEvent[], client: pg.PoolClient) => Promise<void>;

const LIMITS: ConsumerLimits = { batch: 100, maxAttempts: 5, backoffMs: 200, maxBackoffMs: 60_000 };
const IDLE_MS = { first: 20, most: 500 };

/** Makes it unless it is there. @throws INPUT_INVALID when the one that is there has other partitions or types */
export async function createSubscription(pool: pg.Pool, subscription: NewSubscription): Promise<void> {
  const { tenantId, name, partitions, types = null, after = 0n } = subscription;
  await inTransaction(pool, async (client) => {
    await client.query(
      `WITH made AS (
         INSERT INTO subscriptions (tenant_id, name, partitions, types) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING RETURNING tenant_id, name
       ) INSERT INTO subscription_partitions (tenant_id, name, partition, position)
         SELECT tenant_id, name, partition, $5 FROM made, generate_series(0, $3::int - 1) AS partition`,
      [tenantId, name, partitions, types, after],
    );
    const { rows } = await client.query<{ same: boolean }>(
      `SELECT partitions = $3 AND types IS NOT DISTINCT FROM $4::text[] AS same FROM subscriptions
       WHERE tenant_id = $1 AND name = $2`,
      [tenantId, name, partitions, types],
    );
    if (!rows[0]?.same) {
      throw new AppError('INPUT_INVALID', { detail: `subscription ${name} has other partitions or types` });
    }
  });
}

/** Events of the tenant that are not handled yet, at the partition that is furthest behind. */
export async function readSubscriptionLag(db: Queryable, { tenantId, name }: SubscriptionName): Promise<number> {
  const { rows } = await db.query<{ lag: number }>(
    `SELECT coalesce(max(head.head - part.position), 0)::float8 AS lag
     FROM subscription_partitions part JOIN tenant_heads head USING (tenant_id) WHERE part.tenant_id = $1 AND part.name = $2`,
    [tenantId, name],
  );
  return rows[0]?.lag ?? 0;
}

/** Works until it is stopped; any number of processes may. A batch that is under way is finished first. */
export function startConsumer(
  pool: pg.Pool,
  subscription: SubscriptionName,
  handler: EventHandler,
  { onError, ...options }: ConsumerOptions & { onError: (error: unknown) => void },
): { stop: () => Promise<void> } {
  const stopped = new AbortController();
  const work = async () => {
    for (let idle = IDLE_MS.first; !stopped.signal.aborted;) {
      const outcome = await consumeOnce(pool, subscription, handler, { ...options, onError }).catch(
        (error: unknown) => {
          onError(error);
          return 'idle' as const;
        },
      );
      idle = outcome === 'idle' ? Math.min(idle * 2, IDLE_MS.most) : IDLE_MS.first;
      if (outcome === 'idle') await sleep(idle, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const done = work();
  return {
    async stop() {
      stopped.abort();
      await done;
    },
  };
}

/**
 * Handles one batch of one partition, or one letter that was queued again. The lock on the partition's row keeps others from it
 * and goes when the process does: the next one begins at once, where this one had not committed.
 */
export function consumeOnce(
  pool: pg.Pool,
  subscription: SubscriptionName,
  handler: EventHandler,
  { onError, ...options }: ConsumerOptions & { onError?: (error: unknown) => void } = {},
): Promise<'done' | 'failed' | 'idle'> {
  const limits = { ...LIMITS, ...options };
  return inTransaction(pool, async (client) => {
    const attempt = async (events: readonly StoredEvent[]) => tried(client, handler, events, onError);
    return (
      (await handleQueuedLetter(client, subscription, limits, attempt)) ??
      (await handleBatch(client, subscription, limits, attempt)) ??
      'idle'
    );
  });
}

/** Undoes what a failed handler wrote, and keeps the locks. Gives why it failed, or null. */
async function tried(
  client: pg.PoolClient,
  handler: EventHandler,
  events: readonly StoredEvent[],
  onError: ((error: unknown) => void) | undefined,
): Promise<Error | null> {
  await client.query('SAVEPOINT handler');
  try {
    await handler(events, client);
    await client.query('RELEASE SAVEPOINT handler');
    return null;
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT handler');
    onError?.(error);
    return error instanceof Error ? error : new AppError('INTERNAL', {}, error);
  }
}

type Claim = {
  partition: number;
  position: bigint;
  failures: number;
  single: boolean;
  head: bigint;
  partitions: number;
  types: string[] | null;
};

/** After a failure events come one by one, so that the one that cannot be handled is found. */
async function handleBatch(
  client: pg.PoolClient,
  subscription: SubscriptionName,
  limits: ConsumerLimits,
  attempt: Attempt,
): Promise<'done' | 'failed' | undefined> {
  const { tenantId } = subscription;
  const claim = await claimPartition(client, subscription);
  if (claim === undefined) return undefined;
  const { partition, partitions, types, position: after, head, failures, single } = claim;
  const reach = after + BigInt(limits.batch * partitions);
  const upTo = reach < head ? reach : head;
  const first = single ? 1 : limits.batch;
  const events = await readEventPart(client, { tenantId, after, upTo, first, partition, partitions, types });
  const last = events.at(-1);
  const error = last === undefined ? null : await attempt(events);
  const reached = events.length === first && last !== undefined ? last.position : upTo;
  if (error === null) {
    await moveTo(client, subscription, partition, reached);
    return 'done';
  }
  if (failures + 1 >= limits.maxAttempts && events.length === 1) {
    await insertDeadLetter(client, subscription, {
      position: (last as StoredEvent).position,
      attempts: failures + 1,
      error,
    });
    await moveTo(client, subscription, partition, (last as StoredEvent).position);
    return 'failed';
  }
  await client.query(
    `UPDATE subscription_partitions SET failures = failures + 1, due_at = clock_timestamp() + $4 * interval '1 millisecond',
            single_until = greatest(single_until, $5)
     WHERE tenant_id = $1 AND name = $2 AND partition = $3`,
    [tenantId, subscription.name, partition, backoffMs(failures, limits), last?.position],
  );
  return 'failed';
}

/** The head is read with the claim: every event up to it is committed, as its row stays locked until the events are. */
async function claimPartition(client: pg.PoolClient, { tenantId, name }: SubscriptionName): Promise<Claim | undefined> {
  const { rows } = await client.query<Claim>({
    name: 'claim-subscription-partition',
    text: `SELECT part.partition, part.position, part.failures, part.position < part.single_until AS single, head.head, subscription.partitions, subscription.types
           FROM subscription_partitions part
           JOIN subscriptions subscription USING (tenant_id, name) JOIN tenant_heads head USING (tenant_id)
           WHERE part.tenant_id = $1 AND part.name = $2 AND part.due_at <= clock_timestamp() AND part.position < head.head
           ORDER BY part.position LIMIT 1 FOR UPDATE OF part SKIP LOCKED`,
    values: [tenantId, name],
  });
  return rows[0];
}

async function moveTo(
  client: pg.PoolClient,
  { tenantId, name }: SubscriptionName,
  partition: number,
  position: bigint,
): Promise<void> {
  await client.query({
    name: 'move-subscription-partition',
    text: `UPDATE subscription_partitions SET position = $4, failures = 0
           WHERE tenant_id = $1 AND name = $2 AND partition = $3`,
    values: [tenantId, name, partition, position],
  });
}

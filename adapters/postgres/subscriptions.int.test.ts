import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { NewEvent, StoredEvent } from '../../domain/events/stored-event.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { listDeadLetters, requeueDeadLetters } from './dead-letters.ts';
import { appendEvents, appendWithin } from './event-store.ts';
import { createPool } from './pool.ts';
import {
  consumeOnce,
  createSubscription,
  type EventHandler,
  readSubscriptionLag,
  startConsumer,
} from './subscriptions.ts';
import type { SubscriptionName } from './subscription-attempt.ts';
import { inTransaction } from './transaction.ts';

const CONSUMER = join(import.meta.dirname, '../../tests/crash/subscription-consumer.ts');

let database: TestDatabase;
let pool: pg.Pool;
let subscription: SubscriptionName;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 30);
  await pool.query(
    'SET LOCAL ROLE NONE; CREATE TABLE handled_events (id serial, position bigint, stream_id text, version integer, pid integer)',
  );
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});
beforeEach(async () => {
  subscription = { tenantId: uniqueName('tenant'), name: 'mail' };
  await pool.query('DELETE FROM handled_events');
});

const made = (count: number, type = 'thing.happened'): NewEvent[] =>
  Array.from({ length: count }, () => ({
    ...{ eventId: uniqueName('event'), type, schemaVersion: 1, occurredAt: new Date() },
    ...{ correlationId: null, causationId: null, payload: null },
  }));
const append = (streamId: string, count: number, type?: string) =>
  appendEvents(pool, {
    ...{ tenantId: subscription.tenantId, streamId, expectedVersion: 'any' as const },
    events: made(count, type),
  });

const intoTable: EventHandler = async (events, client) => {
  for (const { position, streamId, version } of events) {
    await client.query('INSERT INTO handled_events (position, stream_id, version) VALUES ($1, $2, $3)', [
      ...[position, streamId, version],
    ]);
  }
};

async function untilDone(): Promise<void> {
  while ((await readSubscriptionLag(pool, subscription)) > 0) await sleep(20);
}

/** Each event of the tenant once, those of a stream in order. */
async function expectEachOnce(events: number): Promise<void> {
  const { rows } = await pool.query<{ position: bigint; stream_id: string; version: number }>(
    'SELECT position, stream_id, version FROM handled_events ORDER BY id',
  );
  const positions = rows.map(({ position }) => Number(position)).toSorted((left, right) => left - right);
  expect(positions).toEqual(Array.from({ length: events }, (_, index) => index + 1));
  for (const [, ofStream] of Map.groupBy(rows, (row) => row.stream_id)) {
    expect(ofStream.map(({ version }) => version)).toEqual(ofStream.map((_, index) => index + 1));
  }
}

describe('a subscription', () => {
  it('waits for an append that began earlier and commits later, and skips nothing', async () => {
    await createSubscription(pool, { ...subscription, partitions: 1 });
    await append('first', 1);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = inTransaction(pool, async (client) => {
      await appendWithin(client, {
        ...{ tenantId: subscription.tenantId, streamId: 'slow', expectedVersion: 0, events: made(2) },
      });
      await held;
    });
    await sleep(50);
    const quick = append('quick', 2);
    await sleep(50);
    const seen: bigint[] = [];
    const note: EventHandler = async (events) => void seen.push(...events.map(({ position }) => position));
    await consumeOnce(pool, subscription, note);
    expect(await consumeOnce(pool, subscription, note)).toBe('idle');
    expect(seen).toEqual([1n]);
    release();
    await Promise.all([slow, quick]);
    await consumeOnce(pool, subscription, note);
    expect(seen).toEqual([1n, 2n, 3n, 4n, 5n]);
  });

  it('gives each event to one of many consumers, in order per stream, while many write and some roll back', async () => {
    await createSubscription(pool, { ...subscription, partitions: 4 });
    const errors: unknown[] = [];
    const consumers = Array.from({ length: 6 }, () =>
      startConsumer(pool, subscription, intoTable, { batch: 7, onError: (error) => errors.push(error) }),
    );
    let kept = 0;
    const write = async (writer: number) => {
      for (let turn = 0; turn < 15; turn += 1) {
        const streamId = `stream-${(writer * 7 + turn) % 23}`;
        if ((writer + turn) % 4 > 0) {
          const { appended } = await append(streamId, 1 + (turn % 5));
          kept += appended;
          continue;
        }
        const rolledBack = inTransaction(pool, async (client) => {
          const one = { streamId, expectedVersion: 'any' as const, events: made(2) };
          await appendWithin(client, { tenantId: subscription.tenantId, ...one });
          throw new Error('rolled back');
        });
        await expect(rolledBack).rejects.toThrow('rolled back');
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, writer) => write(writer)));
    await untilDone();
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    expect(errors).toEqual([]);
    await expectEachOnce(kept);
  });

  it('loses nothing and doubles nothing when its consumers are killed at any moment', async () => {
    await createSubscription(pool, { ...subscription, partitions: 3 });
    for (let stream = 0; stream < 12; stream += 1) await append(`stream-${stream}`, 100);
    const alive = new Set<ChildProcess>();
    const pids = new Set<number>();
    const start = async () => {
      const child = spawn(process.execPath, [CONSUMER, database.url, subscription.tenantId, subscription.name], {
        env: { ...process.env, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      alive.add(child);
      child.once('exit', () => alive.delete(child));
      await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    };
    const handled = async () =>
      Number((await pool.query<{ count: bigint }>('SELECT count(*) FROM handled_events')).rows[0]?.count);
    for (let kills = 0; kills < 5; kills += 1) {
      const before = await handled();
      await Promise.all([start(), start()]);
      while ((await handled()) === before && before < 1_200) await sleep(2);
      await sleep(kills * 5);
      for (const child of alive) child.kill('SIGKILL');
    }
    await start();
    await untilDone();
    for (const child of alive) child.kill('SIGKILL');
    for (const { pid } of (await pool.query<{ pid: number }>('SELECT DISTINCT pid FROM handled_events')).rows)
      pids.add(pid);
    expect(pids.size).toBeGreaterThan(1);
    await expectEachOnce(1_200);
  }, 60_000);

  it('hands the types that it is for, from the position that it is after', async () => {
    await append('a', 3, 'wanted');
    await createSubscription(pool, { ...subscription, partitions: 2, types: ['wanted'], after: 2n });
    await append('b', 200, 'other');
    await append('b', 1, 'wanted');
    const seen: bigint[] = [];
    while ((await readSubscriptionLag(pool, subscription)) > 0) {
      await consumeOnce(pool, subscription, async (events) => void seen.push(...events.map((one) => one.position)), {
        batch: 10,
      });
    }
    expect(new Set(seen)).toEqual(new Set([3n, 204n]));
    expect(seen).toHaveLength(2);
  });

  it('is made once, and refused with other partitions', async () => {
    await Promise.all([1, 2, 3].map(() => createSubscription(pool, { ...subscription, partitions: 2 })));
    await expect(createSubscription(pool, { ...subscription, partitions: 3 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});

describe('an event that cannot be handled', () => {
  const quick = { maxAttempts: 3, backoffMs: 1, batch: 10 };
  let poisoned = true;
  const picky: EventHandler = async (events, client) => {
    await intoTable(events, client);
    if (poisoned && events.some(({ type }: StoredEvent) => type === 'poison')) throw new Error('no such address');
  };
  const work = async () => {
    for (let outcome = 'done'; outcome !== 'idle' || (await readSubscriptionLag(pool, subscription)) > 0;) {
      outcome = await consumeOnce(pool, subscription, picky, quick);
    }
  };

  it('is tried again, put aside with the reason, and holds up no other; queued again it is handled', async () => {
    poisoned = true;
    await createSubscription(pool, { ...subscription, partitions: 1 });
    await append('a', 4);
    await append('a', 1, 'poison');
    await append('a', 4);
    await work();
    const done = async () =>
      (await pool.query('SELECT position FROM handled_events ORDER BY id')).rows.map((row) => row.position);
    expect(await done()).toEqual([1n, 2n, 3n, 4n, 6n, 7n, 8n, 9n]);
    const letters = await listDeadLetters(pool, { ...subscription, first: 10 });
    expect(letters).toMatchObject([
      {
        position: 5n,
        state: 'DEAD',
        attempts: 3,
        streamId: 'a',
        version: 5,
        type: 'poison',
        error: { message: 'no such address' },
      },
    ]);

    expect(await requeueDeadLetters(pool, { ...subscription, position: 5n })).toBe(1);
    for (let outcome = 'failed'; outcome === 'failed'; await sleep(10)) {
      outcome = await consumeOnce(pool, subscription, picky, quick);
    }
    while ((await listDeadLetters(pool, { ...subscription, first: 10 }))[0]?.state === 'QUEUED') {
      await consumeOnce(pool, subscription, picky, quick);
    }
    expect((await listDeadLetters(pool, { ...subscription, first: 10 }))[0]).toMatchObject({
      state: 'DEAD',
      attempts: 3,
    });

    poisoned = false;
    expect(await requeueDeadLetters(pool, subscription)).toBe(1);
    await work();
    expect((await done()).at(-1)).toBe(5n);
    expect(await listDeadLetters(pool, { ...subscription, first: 10 })).toEqual([]);
  });

  it('waits longer after each failure', async () => {
    poisoned = true;
    await createSubscription(pool, { ...subscription, partitions: 1 });
    await append('a', 1, 'poison');
    const patient = { maxAttempts: 5, backoffMs: 60_000 };
    expect(await consumeOnce(pool, subscription, picky, patient)).toBe('failed');
    expect(await consumeOnce(pool, subscription, picky, patient)).toBe('idle');
    const wait = async () =>
      (
        await pool.query<{ ms: number }>(
          `SELECT (extract(epoch FROM due_at - clock_timestamp()) * 1000)::float8 AS ms FROM subscription_partitions WHERE tenant_id = $1`,
          [subscription.tenantId],
        )
      ).rows[0]?.ms;
    expect(await wait()).toBeGreaterThan(30_000);
    await pool.query(`UPDATE subscription_partitions SET due_at = '-infinity' WHERE tenant_id = $1`, [
      subscription.tenantId,
    ]);
    const longer = { ...patient, maxBackoffMs: 600_000 };
    expect(await consumeOnce(pool, subscription, picky, longer)).toBe('failed');
    expect(await wait()).toBeGreaterThan(90_000);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { NewEvent, StoredEvent } from '../../domain/events/stored-event.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { appendEvents, readStream, readTenantEvents } from './event-store.ts';
import { verifyEvents } from './event-verification.ts';
import { createPool } from './pool.ts';
import { readEvents } from './read-events.ts';
import { consumeOnce, createSubscription } from './subscriptions.ts';

type Shape = Pick<StoredEvent, 'type' | 'schemaVersion' | 'payload'>;
const OLD = JSON.parse(readFileSync(join(import.meta.dirname, '../../tests/old-events/legacy-v1.json'), 'utf8')) as {
  stored: Shape;
  read: Shape;
}[];
const TENANT = 'old';

describe('events of earlier versions', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool(database.url, 3);
    const events = OLD.map(({ stored }, index): NewEvent => {
      const envelope = { eventId: `old-${index}`, occurredAt: new Date(), correlationId: null, causationId: null };
      return { ...envelope, ...stored };
    });
    await appendEvents(pool, { tenantId: TENANT, streamId: 'workflow/wf-7', expectedVersion: 0, events });
  });
  afterAll(async () => {
    await pool?.end();
    await database?.drop();
  });

  const shapes = (events: readonly StoredEvent[]): Shape[] =>
    events.map(({ type, schemaVersion, payload }) => ({ type, schemaVersion, payload }));
  const today = OLD.map(({ read }) => read);

  it('are brought up to date by every way to read them', async () => {
    expect(shapes(await readStream(pool, { tenantId: TENANT, streamId: 'workflow/wf-7', first: 10 }))).toEqual(today);
    expect(shapes(await readTenantEvents(pool, { tenantId: TENANT, after: 0n, first: 10 }))).toEqual(today);
    expect(shapes(await readEvents(pool, { tenantId: TENANT, filter: {}, first: 10 }))).toEqual(today);
    const subscription = { tenantId: TENANT, name: 'reader' };
    await createSubscription(pool, { ...subscription, partitions: 1 });
    const received: StoredEvent[] = [];
    await consumeOnce(pool, subscription, (events) => Promise.resolve(void received.push(...events)));
    expect(shapes(received)).toEqual(today);
  });

  it('stay as they were appended, and their chain whole', async () => {
    const { rows } = await pool.query(
      'SELECT type, schema_version AS "schemaVersion", payload FROM events ORDER BY version',
    );
    expect(rows).toEqual(OLD.map(({ stored }) => stored));
    expect((await verifyEvents(pool, {})).found).toEqual([]);
  });
});

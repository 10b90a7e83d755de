import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { readStream, readTenantEvents } from './event-store.ts';
import { verifyEvents } from './event-verification.ts';
import { createPool } from './pool.ts';
import { recordedChange, recordEvents } from './record-events.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 12);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const paused = (id: string, event: Partial<SystemEvent> = {}): SystemEvent => ({
  type: 'schedule.paused',
  id,
  payload: { id, by: 'ada', note: null },
  ...(event as object),
});

describe('recording events', () => {
  it('gives each the envelope, in the stream of what it happened to', async () => {
    const tenantId = uniqueName('tenant');
    await recordEvents(pool, tenantId, [
      paused('b', { eventId: 'b-1', correlationId: 'work', causationId: 'cause' }),
      paused('a'),
      paused('b'),
    ]);
    const [first, second] = await readStream(pool, { tenantId, streamId: 'schedule/b', first: 10 });
    expect(first).toMatchObject({
      eventId: 'b-1',
      type: 'schedule.paused',
      schemaVersion: 1,
      version: 1,
      correlationId: 'work',
      causationId: 'cause',
      payload: { id: 'b', by: 'ada', note: null },
    });
    expect(second).toMatchObject({
      version: 2,
      correlationId: null,
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await readStream(pool, { tenantId, streamId: 'schedule/a', first: 10 })).toHaveLength(1);
  });

  it('stores an event whose id was given once, however often and by however many it is recorded', async () => {
    const tenantId = uniqueName('tenant');
    const events = Array.from({ length: 30 }, (_, index) => paused(`s${index % 5}`, { eventId: `event-${index}` }));
    const parts = Array.from({ length: 40 }, (_, index) => {
      const from = (index * 7) % 25;
      const part = events.slice(from, from + 10);
      return index % 2 ? part : part.toReversed();
    });
    const stored = await Promise.all([...parts, events].map((part) => recordEvents(pool, tenantId, part)));
    expect(stored.reduce((sum, one) => sum + one, 0)).toBe(30);
    const read = await readTenantEvents(pool, { tenantId, after: 0n, first: 100 });
    expect(new Set(read.map(({ eventId }) => eventId)).size).toBe(30);
    expect(read.map(({ position }) => Number(position))).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect((await verifyEvents(pool, {})).found).toEqual([]);
  });

  it('records a change with the change, or neither', async () => {
    const tenantId = uniqueName('tenant');
    await pool.query('SET LOCAL ROLE NONE; CREATE TABLE IF NOT EXISTS changed (id text PRIMARY KEY)');
    const change = (id: string, fails: boolean) =>
      recordedChange(pool, tenantId, async (client) => {
        await client.query('INSERT INTO changed VALUES ($1)', [id]);
        if (fails) throw new Error('no');
        return { result: id, events: [paused(id)] };
      });
    const [good, bad] = [randomUUID(), randomUUID()];
    await expect(change(bad, true)).rejects.toThrow('no');
    expect(await change(good, false)).toBe(good);
    expect((await pool.query<{ id: string }>('SELECT id FROM changed')).rows).toEqual([{ id: good }]);
    const read = await readTenantEvents(pool, { tenantId, after: 0n, first: 10 });
    expect(read.map(({ streamId }) => streamId)).toEqual([`schedule/${good}`]);
  });
});

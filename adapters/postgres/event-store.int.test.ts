import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { NewEvent, StoredEvent } from '../../domain/events/stored-event.ts';
import type { Json } from '../../domain/json.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { type Append, appendEvents, appendWithin, readStream, readTenantEvents } from './event-store.ts';
import { verifyEvents } from './event-verification.ts';
import { createPool } from './pool.ts';
import { inTransaction } from './transaction.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 34);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

let next = 0;
function made(count: number, payload: Json = { n: 1 }): NewEvent[] {
  return Array.from({ length: count }, () => ({
    eventId: `event-${(next += 1)}`,
    type: 'thing.happened',
    schemaVersion: 1,
    occurredAt: new Date('2026-11-24T06:00:00.123Z'),
    correlationId: 'work-1',
    causationId: null,
    payload,
  }));
}
const tenant = () => uniqueName('tenant');

describe('appending to a stream', () => {
  it('numbers events densely in the stream and in the tenant and gives them back as they were', async () => {
    const tenantId = tenant();
    const first = made(2);
    const second = made(1);
    expect(await appendEvents(pool, { tenantId, streamId: 'a', expectedVersion: 0, events: first })).toEqual({
      version: 2,
      position: 2n,
      appended: 2,
    });
    await appendEvents(pool, { tenantId, streamId: 'b', expectedVersion: 0, events: made(1) });
    await appendEvents(pool, { tenantId, streamId: 'a', expectedVersion: 2, events: second });
    const stored = await readStream(pool, { tenantId, streamId: 'a', first: 10 });
    expect(stored.map(({ version, position }) => [version, position])).toEqual([
      [1, 1n],
      [2, 2n],
      [3, 4n],
    ]);
    expect(stored.map(toNewEvent)).toEqual([...first, ...second]);
  });

  it('refuses a version that is not the expected one, and stores nothing of it', async () => {
    const tenantId = tenant();
    await appendEvents(pool, { tenantId, streamId: 'a', expectedVersion: 0, events: made(2) });
    for (const expectedVersion of [0, 1, 3]) {
      await expect(
        appendEvents(pool, { tenantId, streamId: 'a', expectedVersion, events: made(1) }),
      ).rejects.toMatchObject({ code: 'VERSION_CONFLICT', fields: { expectedVersion, actualVersion: 2 } });
    }
    await expect(
      appendEvents(pool, { tenantId, streamId: 'none', expectedVersion: 1, events: made(1) }),
    ).rejects.toMatchObject({ code: 'VERSION_CONFLICT', fields: { actualVersion: 0 } });
    expect(await readTenantEvents(pool, { tenantId, after: 0n, first: 10 })).toHaveLength(2);
  });

  it('lets one of many writers of the same version win', async () => {
    const tenantId = tenant();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        appendEvents(pool, { tenantId, streamId: 'a', expectedVersion: 0, events: made(3) }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readTenantEvents(pool, { tenantId, after: 0n, first: 100 })).toHaveLength(3);
  });

  it('recognises an append that was made before, with or without an expected version', async () => {
    const tenantId = tenant();
    const events = made(3);
    const append = { tenantId, streamId: 'a', expectedVersion: 0, events };
    const first = await appendEvents(pool, append);
    await appendEvents(pool, { tenantId, streamId: 'a', expectedVersion: 3, events: made(1) });
    expect(await appendEvents(pool, append)).toEqual({ ...first, appended: 0 });
    expect(await appendEvents(pool, { ...append, expectedVersion: 'any' })).toEqual({ ...first, appended: 0 });
    expect(await readTenantEvents(pool, { tenantId, after: 0n, first: 10 })).toHaveLength(4);
  });

  it('keeps any JSON, also NUL, lone surrogates, values above 16 KB and values that look like a reference', async () => {
    const tenantId = tenant();
    const payloads: Json[] = [
      { text: 'a\u0000b\ud800', big: 'x'.repeat(20_000), number: 1e-7, order: { z: 1, a: 2 } },
      { output: { $payload: 'f'.repeat(64), bytes: 3 } },
      ['plain', null],
      { $payload: 'f'.repeat(64) },
    ];
    const events = payloads.flatMap((payload) => made(1, payload));
    await appendEvents(pool, { tenantId, streamId: 'a', expectedVersion: 0, events });
    const stored = await readStream(pool, { tenantId, streamId: 'a', first: 10 });
    expect(stored.map(({ payload }) => JSON.stringify(payload))).toEqual(
      payloads.map((payload) => JSON.stringify(payload)),
    );
    const { rows } = await pool.query<{ bytes: number }>(
      'SELECT max(octet_length(payload::text)) AS bytes FROM events WHERE tenant_id = $1',
      [tenantId],
    );
    expect(rows[0]?.bytes).toBeLessThan(16_384);
  });
});

describe('many writers of one tenant', () => {
  it('leave no gap and show no reader an inversion, also when some roll back', async () => {
    const tenantId = tenant();
    const writers = 32;
    const appends = 12;
    let writing = writers;
    let kept = 0;
    const seen: bigint[] = [];
    const reader = (async () => {
      for (let after = 0n, done = false; !done;) {
        done = writing === 0;
        const page = await readTenantEvents(pool, { tenantId, after, first: 1_000 });
        seen.push(...page.map(({ position }) => position));
        after = page.at(-1)?.position ?? after;
      }
    })();
    const write = async (writer: number) => {
      for (let turn = 0; turn < appends; turn += 1) {
        const events = made(1 + ((writer + turn) % 4));
        const append = { tenantId, streamId: `stream-${writer % 20}`, expectedVersion: 'any' as const, events };
        if ((writer + turn) % 3 === 0) {
          await expect(thenRollBack(append)).rejects.toThrow('rolled back');
        } else {
          const { appended } = await appendEvents(pool, append);
          kept += appended;
        }
      }
      writing -= 1;
    };
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
    await reader;
    expect(seen).toEqual(Array.from({ length: kept }, (_, index) => BigInt(index + 1)));
  }, 60_000);

  const thenRollBack = (append: Append) =>
    inTransaction(pool, async (client) => {
      await appendWithin(client, append);
      throw new Error('rolled back');
    });
});

describe('writers whose connections are killed in the middle', () => {
  it('and who try again with the same ids store each event once, without a gap, in a whole chain', async () => {
    const tenantId = tenant();
    const writing = createPool(`${database.url}${database.url.includes('?') ? '&' : '?'}application_name=doomed`, 8);
    const owner = createPool(database.url, 1, undefined, 'owner');
    let done = false;
    let killed = 0;
    const killer = (async () => {
      while (!done) {
        const { rowCount } = await owner.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE application_name = 'doomed' AND state <> 'idle' AND random() < 0.2`,
        );
        killed += rowCount ?? 0;
      }
    })();
    const write = async (writer: number) => {
      for (let turn = 0; turn < 25; turn += 1) {
        const append = { tenantId, streamId: `s${writer % 3}`, expectedVersion: 'any' as const, events: made(3) };
        while (!(await appendEvents(writing, append).catch(() => null)));
      }
    };
    try {
      await Promise.all(Array.from({ length: 6 }, (_, writer) => write(writer)));
    } finally {
      done = true;
      await killer;
      await Promise.all([writing.end(), owner.end()]);
    }
    expect(killed).toBeGreaterThan(0);
    const stored = await readTenantEvents(pool, { tenantId, after: 0n, first: 1_000 });
    expect(stored.map(({ position }) => position)).toEqual(Array.from({ length: 450 }, (_, at) => BigInt(at + 1)));
    expect(new Set(stored.map(({ eventId }) => eventId)).size).toBe(450);
    expect((await verifyEvents(pool, { tenantId })).found).toEqual([]);
  }, 60_000);
});

describe('stored events', () => {
  it.each(["UPDATE events SET type = 'x'", 'DELETE FROM events', 'TRUNCATE events', 'DELETE FROM events WHERE false'])(
    'are safe from %s by the database itself, for its owner too',
    async (statement) => {
      const tenantId = tenant();
      await appendEvents(pool, { tenantId, streamId: 'a', expectedVersion: 0, events: made(1) });
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
      const client = await pool.connect();
      await client.query('SET ROLE NONE');
      await expect(client.query(statement)).rejects.toMatchObject({ code: 'WE001' });
      await client.query("SET session_replication_role = 'replica'");
      await expect(client.query(statement)).rejects.toMatchObject({ code: 'WE001' });
      client.release(true);
      expect(await readStream(pool, { tenantId, streamId: 'a', first: 10 })).toHaveLength(1);
    },
  );
});

function toNewEvent(stored: StoredEvent): NewEvent {
  const { eventId, type, schemaVersion, occurredAt, correlationId, causationId, payload } = stored;
  return { eventId, type, schemaVersion, occurredAt, correlationId, causationId, payload };
}

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { NewEvent } from '../../domain/events/stored-event.ts';
import type { Tampering } from '../../domain/events/verification.ts';
import type { Json } from '../../domain/json.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { appendEvents } from './event-store.ts';
import { verifyEvents } from './event-verification.ts';
import { createPool } from './pool.ts';

let database: TestDatabase;
let pool: pg.Pool;
let tenantId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 4);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

function made(count: number, payload: (index: number) => Json = (n) => ({ n })): NewEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    eventId: uniqueName('event'),
    type: `thing.${index % 2 ? 'grew' : 'happened'}`,
    schemaVersion: 1,
    occurredAt: new Date(Date.UTC(2026, 10, 24) + index),
    correlationId: index % 3 ? 'work' : null,
    causationId: null,
    payload: payload(index),
  }));
}

const append = (streamId: string, expectedVersion: number, events: NewEvent[]) =>
  appendEvents(pool, { tenantId, streamId, expectedVersion, events });

/** As somebody who may do anything to the database. */
async function tamper(...statements: string[]): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN; SET LOCAL ROLE NONE; ALTER TABLE events DISABLE TRIGGER USER');
    for (const statement of statements) {
      const { rowCount } = await client.query(statement.replaceAll('$tenant', `tenant_id = '${tenantId}'`));
      expect(rowCount).not.toBe(0);
    }
    await client.query(`ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;
      ALTER TABLE events ENABLE ALWAYS TRIGGER events_kept_or_archived; COMMIT`);
  } finally {
    client.release();
  }
}

const found = async (): Promise<Pick<Tampering, 'streamId' | 'version' | 'kind'>[]> =>
  (await verifyEvents(pool, { tenantId })).found.map(({ streamId, version, kind }) => ({ streamId, version, kind }));
const inA = (version: number, kind: Tampering['kind']) => ({ streamId: 'a', version, kind });
const POSITION = { streamId: null, version: null, kind: 'POSITION' };

beforeEach(async () => {
  tenantId = uniqueName('tenant');
  await append('a', 0, made(5));
  await append('b', 0, made(3));
  await append('a', 5, made(4));
});

describe('verifying events', () => {
  it('finds nothing where nobody tampered, over appends in any number and size', async () => {
    await append(
      'big',
      0,
      made(2_100, (n) => (n % 500 ? { n } : { n, text: 'é"\u0000'.repeat(9_000) })),
    );
    await append('a', 9, made(1));
    expect(await verifyEvents(pool, { tenantId })).toEqual({ streams: 3, events: 2_113, goneValues: 0, found: [] });
  });

  it('names the payload that was changed, by however little', async () => {
    await tamper(`UPDATE events SET payload = '{"n": 2}' WHERE $tenant AND position = 3`);
    expect(await found()).toEqual([inA(3, 'PAYLOAD')]);
  });

  it.each([
    ['type', `type = 'thing.shrank'`],
    ['time of occurrence', `occurred_at = occurred_at + interval '1 microsecond'`],
    ['time of recording', `recorded_at = recorded_at + interval '1 microsecond'`],
    ['event id', `event_id = event_id || 'x'`],
    ['correlation, from none to an empty one', `correlation_id = ''`],
    ['schema version', `schema_version = 2`],
    ['link', `hash = sha256('x') || substring(hash FROM 33)`],
  ])('names the event whose %s was changed', async (_title, change) => {
    await tamper(`UPDATE events SET ${change} WHERE $tenant AND position = 4`);
    expect((await found())[0]).toEqual(inA(4, 'FIELDS'));
  });

  it('names the version of a row that was removed', async () => {
    await tamper('DELETE FROM events WHERE $tenant AND position = 2');
    expect(await found()).toEqual([inA(2, 'REMOVED'), POSITION]);
  });

  it('finds a row removed and the later ones numbered anew, by where those come from', async () => {
    await tamper(
      'DELETE FROM events WHERE $tenant AND position = 10',
      `UPDATE events SET version = version - 1 WHERE $tenant AND position > 10`,
      `UPDATE event_streams SET version = 8 WHERE $tenant AND stream_id = 'a'`,
      `UPDATE events SET position = position - 1 WHERE $tenant AND position > 10`,
      'UPDATE tenant_heads SET head = head - 1 WHERE $tenant',
    );
    expect((await found())[0]).toEqual(inA(7, 'FIELDS'));
  });

  it('finds a row put in at the end, with the counters as they were or counted up', async () => {
    await tamper(
      `INSERT INTO events SELECT stream_key, 10, 13, occurred_at, recorded_at, 1, tenant_id, type, 'new', null, null, payload, hash
       FROM events WHERE $tenant AND position = 12`,
    );
    expect(await found()).toEqual([inA(10, 'INSERTED'), POSITION]);
    await tamper(
      `UPDATE event_streams SET version = 10 WHERE $tenant AND stream_id = 'a'`,
      'UPDATE tenant_heads SET head = 13 WHERE $tenant',
    );
    expect(await found()).toContainEqual(inA(10, 'FIELDS'));
  });

  it('names both of two rows that changed places, neighbours or not, and says which went where', async () => {
    for (const [left, right] of [
      [2, 3],
      [1, 5],
    ]) {
      await tamper(
        `UPDATE events SET version = -1 WHERE $tenant AND version = ${left} AND position < 6`,
        `UPDATE events SET version = ${left} WHERE $tenant AND version = ${right} AND position < 6`,
        `UPDATE events SET version = ${right} WHERE $tenant AND version = -1`,
      );
      const { found: all } = await verifyEvents(pool, { tenantId });
      expect(all.map(({ version, kind, detail }) => [version, kind, detail])).toEqual([
        [left, 'MOVED', `this is the event that had version ${right}`],
        [right, 'MOVED', `this is the event that had version ${left}`],
      ]);
      await tamper(
        `UPDATE events SET version = -1 WHERE $tenant AND version = ${left} AND position < 13 AND stream_key IN (SELECT stream_key FROM event_streams WHERE stream_id = 'a')`,
        `UPDATE events SET version = ${left} WHERE $tenant AND version = ${right} AND stream_key IN (SELECT stream_key FROM event_streams WHERE stream_id = 'a')`,
        `UPDATE events SET version = ${right} WHERE $tenant AND version = -1`,
      );
      expect(await found()).toEqual([]);
    }
  });

  it('finds payloads that changed places', async () => {
    await tamper(
      `UPDATE events SET payload = other.payload FROM (SELECT position, payload FROM events WHERE $tenant) other
       WHERE events.$tenant AND (events.position, other.position) IN ((1, 4), (4, 1))`,
    );
    expect(await found()).toEqual([inA(1, 'PAYLOAD'), inA(4, 'PAYLOAD')]);
  });

  it('finds positions that changed places between streams', async () => {
    await tamper(
      `UPDATE events SET position = -1 WHERE $tenant AND position = 5`,
      `UPDATE events SET position = 5 WHERE $tenant AND position = 6`,
      `UPDATE events SET position = 6 WHERE $tenant AND position = -1`,
    );
    expect(await found()).toEqual([inA(5, 'FIELDS'), { streamId: 'b', version: 1, kind: 'FIELDS' }]);
  });

  it('finds an end that was cut off, by the version and by the link that the stream was left with', async () => {
    await tamper('DELETE FROM events WHERE $tenant AND position > 10');
    expect(await found()).toEqual([inA(9, 'HEAD'), POSITION]);
    await tamper(
      `UPDATE event_streams SET version = 7 WHERE $tenant AND stream_id = 'a'`,
      'UPDATE tenant_heads SET head = 10 WHERE $tenant',
    );
    expect(await found()).toEqual([inA(7, 'HEAD')]);
  });

  it('finds a stream that is gone, with its events and without them', async () => {
    await tamper(`DELETE FROM event_streams WHERE $tenant AND stream_id = 'b'`);
    expect(await found()).toEqual([{ ...POSITION, kind: 'ORPHANED' }]);
    await tamper('DELETE FROM events WHERE $tenant AND position BETWEEN 6 AND 8');
    expect(await found()).toEqual([POSITION]);
  });

  it('finds a stream that was given the name of another', async () => {
    await tamper(`UPDATE event_streams SET stream_id = 'c' WHERE $tenant AND stream_id = 'b'`);
    expect(await found()).toEqual([{ streamId: 'c', version: 1, kind: 'FIELDS' }]);
  });

  it('finds a large value that was changed in the payload store, and counts one that is gone', async () => {
    await append(
      'large',
      0,
      made(2, (n) => ({ text: `${n}`.repeat(20_000 + n) })),
    );
    const hashOf = (version: number) =>
      `(SELECT payload->'text'->>'$payload' FROM events JOIN event_streams USING (stream_key) WHERE events.$tenant AND stream_id = 'large' AND events.version = ${version})`;
    await tamper(`UPDATE payloads SET bytes = convert_to('"forged"', 'UTF8') WHERE hash = ${hashOf(2)}`);
    expect(await found()).toEqual([{ streamId: 'large', version: 2, kind: 'LARGE_VALUE' }]);
    await tamper(`DELETE FROM payloads WHERE hash = ${hashOf(2)}`);
    expect(await verifyEvents(pool, { tenantId })).toMatchObject({ goneValues: 1, found: [] });
  });
});

describe('the migration that brought the chain', () => {
  it('gives events from before it the links that an append gives', async () => {
    const sql = await readFile(new URL('migrations/12_event-chain.sql', import.meta.url), 'utf8');
    const [up, down] = sql.split('-- Down Migration') as [string, string];
    const links = async () =>
      (await pool.query(`SELECT position, encode(hash, 'hex') FROM events WHERE tenant_id = $1 ORDER BY 1`, [tenantId]))
        .rows;
    const before = await links();
    await pool.query(`SET LOCAL ROLE NONE; ${down}`);
    await pool.query(`SET LOCAL ROLE NONE; ${up}`);
    expect(await links()).toEqual(before);
    await append('a', 9, made(1));
    expect(await found()).toEqual([]);
  });
});

import { randomBytes, randomInt } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { loadSettings } from '../../config/load.ts';
import type { PayloadHash } from '../../domain/identifiers.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { type S3Server, startS3Server } from '../../tests/s3-server.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { collectPayloads, type CollectOptions } from './collect-payloads.ts';
import { openDatabase, payloadStorage } from './open-database.ts';
import { createPayloadStore } from './payload-store.ts';

const DAY_MS = 24 * 3_600_000;
const KEYS = `k1:${randomBytes(32).toString('base64')}`;

let database: TestDatabase;
let s3: S3Server;
beforeAll(async () => {
  [database, s3] = await Promise.all([createTestDatabase(), startS3Server()]);
});
afterAll(async () => {
  await Promise.all([database.drop(), s3.stop()]);
});

async function* of(...hashes: PayloadHash[]): AsyncGenerator<PayloadHash> {
  yield* hashes;
}

describe.each<[string, () => Record<string, string>]>([
  ['in Postgres', () => ({ WEFT_ENCRYPTION_KEYS: KEYS })],
  ['in S3', () => ({ ...s3.environment, WEFT_PAYLOAD_STORE: 's3' })],
])('the collection of payloads %s', (_title, environment) => {
  let pool: pg.Pool;
  let store: PayloadStore;
  beforeAll(async () => {
    const settings = loadSettings({ CONNECTION_POOL_SIZE: '16', ...environment() });
    pool = openDatabase({ ...settings, DATABASE_URL: database.url });
    store = createPayloadStore(pool);
    // Any table with a json column counts.
    await pool.query('SET LOCAL ROLE NONE; CREATE TABLE IF NOT EXISTS pointers (run_id text, value json, other jsonb)');
  });
  beforeEach(async () => {
    await pool.query('DELETE FROM payloads; DELETE FROM pointers; DELETE FROM payload_collections');
    await pool.query('DELETE FROM runs; DELETE FROM effects');
  });
  afterAll(async () => {
    await pool.end();
  });

  const collect = (options: Partial<CollectOptions> = {}) =>
    collectPayloads(pool, { graceMs: DAY_MS, retentionMs: null, dryRun: false, held: of(), ...options });
  /** As if this much time had passed. */
  const age = (days = 3) =>
    pool.query(
      `UPDATE payloads SET used_at = used_at - $1 * interval '1 day',
                           unreferenced_since = unreferenced_since - $1 * interval '1 day'`,
      [days],
    );
  const put = async (value: unknown) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hash = store.address(bytes);
    await store.put(new Map([[hash, bytes]]));
    return hash;
  };
  const point = (hash: PayloadHash, runId: string | null = null) =>
    pool.query('INSERT INTO pointers (run_id, value) VALUES ($1, $2)', [
      runId,
      { deep: [{ $payload: hash, bytes: 1 }] },
    ]);
  const there = async (...hashes: PayloadHash[]) => {
    const found = await store.get(hashes);
    return hashes.map((hash) => found.has(hash));
  };

  it('deletes what nothing points at, the second time it is seen so after the grace', async () => {
    const hash = await put('unused');
    await age();
    expect(await collect()).toMatchObject({ payloads: 1, referenced: 0, unreferenced: 1, deleted: 0 });
    expect(await collect()).toMatchObject({ deleted: 0 });
    await age();
    expect(await collect({ dryRun: true })).toMatchObject({ deleted: 1 });
    expect(await there(hash)).toEqual([true]);
    expect(await collect()).toMatchObject({ deleted: 1, deletedBytes: expect.any(Number) });
    expect(await there(hash)).toEqual([false]);
    const { rows } = await pool.query('SELECT deleted FROM payload_collections ORDER BY started_at');
    expect(rows.map((row: { deleted: bigint }) => Number(row.deleted))).toEqual([0, 0, 1]);
  });

  it('keeps what a json or jsonb column of any table points at, and what others hold', async () => {
    const [first, second, third] = [await put('json'), await put('jsonb'), await put('held')];
    await point(first);
    await pool.query('INSERT INTO pointers (other) VALUES ($1)', [{ x: { $payload: second } }]);
    for (let round = 0; round < 3; round += 1) {
      await collect({ held: of(third) });
      await age();
    }
    expect(await there(first, second, third)).toEqual([true, true, true]);
  });

  it('counts the grace anew from the last time that something pointed at it', async () => {
    const hash = await put('comes and goes');
    await age();
    await collect();
    await point(hash);
    await age();
    await collect();
    await pool.query('DELETE FROM pointers');
    await collect();
    expect(await there(hash)).toEqual([true]);
  });

  it('keeps the values of a run until the retention after its end is over', async () => {
    const insert = `INSERT INTO runs (id, tenant_id, workflow_id, version, definition_hash, input, created_at, closed_at)
                    VALUES ($1, 't', 'w', 1, 'h', $2, now(), $3)`;
    const runs = [
      { id: 'open', closedAt: null },
      { id: 'recent', closedAt: new Date(Date.now() - 5 * DAY_MS) },
      { id: 'expired', closedAt: new Date(Date.now() - 50 * DAY_MS) },
    ];
    const hashes: PayloadHash[] = [];
    for (const { id, closedAt } of runs) {
      const [input, other] = [await put(`input of ${id}`), await put(`other of ${id}`)];
      await pool.query(insert, [id, { $payload: input }, closedAt]);
      await point(other, id);
      await pool.query(
        `INSERT INTO effects (run_id, node_id, iteration, attempt, tenant_id, key, kind, request, request_hash, scheduled_at)
         VALUES ($1, 'call', '1', 1, 't', $1, 'http', '{}', '', now())`,
        [id],
      );
      hashes.push(input, other);
    }
    const rounds = async (retentionMs: number | null) => {
      await age();
      await collect({ retentionMs });
      await age();
      await collect({ retentionMs });
      return there(...hashes);
    };
    const receipts = async () => (await pool.query('SELECT run_id FROM effects ORDER BY run_id')).rows;
    expect(await rounds(null)).toEqual([true, true, true, true, true, true]);
    expect(await receipts()).toHaveLength(3);
    expect(await rounds(30 * DAY_MS)).toEqual([true, true, true, true, false, false]);
    expect(await receipts()).toEqual([{ run_id: 'open' }, { run_id: 'recent' }]);
  });

  it('deletes nothing when what others hold cannot be read', async () => {
    const hash = await put('unused');
    await age();
    await collect();
    await age();
    const broken = async function* (): AsyncGenerator<PayloadHash> {
      await Promise.reject(new Error('Temporal is away'));
      yield hash;
    };
    await expect(collect({ held: broken() })).rejects.toThrow('Temporal is away');
    expect(await there(hash)).toEqual([true]);
  });

  it('is done by one process at a time', async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const waiting = async function* (): AsyncGenerator<PayloadHash> {
      entered.resolve();
      await gate.promise;
      yield* of();
    };
    const first = collect({ held: waiting() });
    await entered.promise;
    expect(await collect()).toBeNull();
    gate.resolve();
    expect(await first).toMatchObject({ payloads: 0 });
  });

  it('never takes what is put again meanwhile', async () => {
    const values = Array.from({ length: 400 }, (_, index) => Buffer.from(JSON.stringify({ index, filling: 'x' })));
    for (let round = 0; round < 4; round += 1) {
      await pool.query('DELETE FROM pointers');
      await store.put(new Map(values.map((bytes) => [store.address(bytes), bytes])));
      await age();
      await collect();
      await age();
      let done = false;
      const writers = Array.from({ length: 8 }, async () => {
        while (!done) {
          const bytes = values[randomInt(values.length)] as Buffer;
          const hash = store.address(bytes);
          await store.put(new Map([[hash, bytes]]));
          await point(hash);
        }
      });
      const collected = await collect().finally(() => (done = true));
      await Promise.all(writers);
      expect(collected?.deleted).toBeGreaterThan(0);
      const { rows } = await pool.query<{ hash: PayloadHash }>(
        `SELECT DISTINCT value->'deep'->0->>'$payload' AS hash FROM pointers`,
      );
      expect(await there(...rows.map(({ hash }) => hash))).toEqual(rows.map(() => true));
    }
  });
});

describe('objects that no row knows', () => {
  it('go after the grace, and never those of a row', async () => {
    const settings = loadSettings({ ...s3.environment, WEFT_PAYLOAD_STORE: 's3', CONNECTION_POOL_SIZE: '4' });
    const pool = openDatabase({ ...settings, DATABASE_URL: database.url });
    const { bodies } = payloadStorage(settings);
    const store = createPayloadStore(pool);
    try {
      const bytes = Buffer.from('"known"');
      const known = store.address(bytes);
      await store.put(new Map([[known, bytes]]));
      const stray = 'f'.repeat(64) as PayloadHash;
      await bodies?.write(stray, Buffer.from('"stray"'));
      const collect = (graceMs: number) =>
        collectPayloads(pool, { graceMs, retentionMs: null, dryRun: false, held: of(known) });
      expect(await collect(DAY_MS)).toMatchObject({ strayObjects: 0 });
      // The server's clock shows whole seconds.
      expect((await collect(-2_000))?.strayObjects).toBeGreaterThan(0);
      expect(await bodies?.read(stray)).toBeUndefined();
      expect(await bodies?.read(known)).toBeDefined();
    } finally {
      await pool.end();
    }
  });
});

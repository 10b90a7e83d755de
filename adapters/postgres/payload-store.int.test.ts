import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { loadSettings } from '../../config/load.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { type S3Server, startS3Server } from '../../tests/s3-server.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { openDatabase } from './open-database.ts';
import { createPayloadStore } from './payload-store.ts';
import { listKeyUse, resealPayloads } from './reseal-payloads.ts';
import { inTransaction } from './transaction.ts';

const K1 = `k1:${randomBytes(32).toString('base64')}`;
const K2 = `k2:${randomBytes(32).toString('base64')}`;

let database: TestDatabase;
let s3: S3Server;
const pools: pg.Pool[] = [];

beforeAll(async () => {
  [database, s3] = await Promise.all([createTestDatabase(), startS3Server()]);
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await Promise.all([database.drop(), s3.stop()]);
});

function open(environment: Record<string, string>): pg.Pool {
  const settings = loadSettings({ CONNECTION_POOL_SIZE: '4', ...environment });
  const pool = openDatabase({ ...settings, DATABASE_URL: database.url });
  pools.push(pool);
  return pool;
}
const inS3 = () => ({ ...s3.environment, WEFT_PAYLOAD_STORE: 's3' });
const jsonOf = (value: unknown) => Buffer.from(JSON.stringify(value));

async function putOne(store: PayloadStore, bytes: Buffer) {
  const hash = store.address(bytes);
  await store.put(new Map([[hash, bytes]]));
  return hash;
}

describe.each<[string, () => Record<string, string>]>([
  ['in Postgres', () => ({})],
  ['in Postgres, encrypted', () => ({ WEFT_ENCRYPTION_KEYS: K1 })],
  ['in S3', inS3],
  ['in S3, encrypted', () => ({ ...inS3(), WEFT_ENCRYPTION_KEYS: K1 })],
])('a payload store %s', (title, environment) => {
  let pool: pg.Pool;
  let store: PayloadStore;
  beforeAll(() => {
    pool = open(environment());
    store = createPayloadStore(pool);
  });

  it('gives back what was put, all by one call, and nothing for what was not', async () => {
    const values = [jsonOf({ title, n: 1 }), jsonOf('x'.repeat(300_000)), Buffer.alloc(0)];
    const payloads = new Map(values.map((bytes) => [store.address(bytes), bytes]));
    await store.put(payloads);
    const unknown = store.address(jsonOf({ title, never: 'put' }));
    const found = await store.get([...payloads.keys(), unknown]);
    expect(new Map([...found].map(([hash, bytes]) => [hash, Buffer.from(bytes)]))).toEqual(payloads);
  });

  it('takes the same again, also from many at once', async () => {
    const bytes = jsonOf({ title, same: randomBytes(8).toString('hex') });
    const hashes = await Promise.all(Array.from({ length: 20 }, () => putOne(store, bytes)));
    expect(new Set(hashes).size).toBe(1);
    const { rows } = await pool.query('SELECT stored FROM payloads WHERE hash = $1', [hashes[0]]);
    expect(rows).toEqual([{ stored: true }]);
  });

  it('has what was put in a transaction when that is committed', async () => {
    const bytes = jsonOf({ title, transaction: true });
    const hash = await inTransaction(pool, (client) => putOne(createPayloadStore(client), bytes));
    expect(Buffer.from((await store.get([hash])).get(hash) ?? [])).toEqual(bytes);
  });

  it('keeps no plain text where there is a key', async () => {
    const hash = await putOne(store, jsonOf({ title, word: 'needle' }));
    const { rows } = await pool.query<{ bytes: Buffer | null; key_id: string | null }>(
      'SELECT bytes, key_id FROM payloads WHERE hash = $1',
      [hash],
    );
    const encrypted = title.includes('encrypted');
    expect(rows[0]?.key_id).toBe(encrypted ? 'k1' : null);
    const stored = rows[0]?.bytes ?? (await readObject(hash));
    expect(stored.includes('needle')).toBe(!encrypted);
  });
});

async function readObject(hash: string): Promise<Buffer> {
  const { payloadStorage } = await import('./open-database.ts');
  const { bodies } = payloadStorage(loadSettings(inS3()));
  return Buffer.from((await bodies?.read(hash as never)) ?? []);
}

describe('a change of the settings', () => {
  it('leaves what is stored readable: a first key, a new key, another place', async () => {
    const plain = await putOne(createPayloadStore(open({})), jsonOf({ was: 'plain' }));
    const first = await putOne(createPayloadStore(open({ WEFT_ENCRYPTION_KEYS: K1 })), jsonOf({ was: 'k1' }));
    const moved = open({ ...inS3(), WEFT_ENCRYPTION_KEYS: `${K2},${K1}` });
    const second = await putOne(createPayloadStore(moved), jsonOf({ was: 'k2 in S3' }));
    for (const environment of [inS3(), s3.environment]) {
      const store = createPayloadStore(open({ ...environment, WEFT_ENCRYPTION_KEYS: `${K2},${K1}` }));
      const found = await store.get([plain, first, second]);
      const values = [plain, first, second].map((hash) => Buffer.from(found.get(hash) ?? []).toString());
      expect(values).toEqual(['{"was":"plain"}', '{"was":"k1"}', '{"was":"k2 in S3"}']);
    }
  });

  it('lets everything be encrypted anew under the new key, so that the old one can go', async () => {
    const values = [jsonOf({ reseal: 'plain' }), jsonOf({ reseal: 'k1' }), jsonOf({ reseal: 'k1 in S3' })];
    const hashes = [
      await putOne(createPayloadStore(open({})), values[0] as Buffer),
      await putOne(createPayloadStore(open({ WEFT_ENCRYPTION_KEYS: K1 })), values[1] as Buffer),
      await putOne(createPayloadStore(open({ ...inS3(), WEFT_ENCRYPTION_KEYS: K1 })), values[2] as Buffer),
    ];
    const rotating = open({ ...s3.environment, WEFT_ENCRYPTION_KEYS: `${K2},${K1}` });
    expect((await resealPayloads(rotating)).resealed).toBeGreaterThanOrEqual(3);
    expect((await listKeyUse(rotating)).map(({ keyId }) => keyId)).toEqual(['k2']);
    expect(await resealPayloads(rotating)).toEqual({ resealed: 0 });
    const found = await createPayloadStore(open({ ...s3.environment, WEFT_ENCRYPTION_KEYS: K2 })).get(hashes);
    expect(hashes.map((hash) => Buffer.from(found.get(hash) ?? []))).toEqual(values);
    await expect(resealPayloads(open({}))).rejects.toMatchObject({ code: 'SETUP_INCOMPLETE' });
  });

  it('that takes away a key or the bucket is named', async () => {
    const bytes = jsonOf({ needs: 'key and bucket' });
    const hash = await putOne(createPayloadStore(open({ ...inS3(), WEFT_ENCRYPTION_KEYS: K1 })), bytes);
    await expect(createPayloadStore(open({ WEFT_ENCRYPTION_KEYS: K1 })).get([hash])).rejects.toMatchObject({
      code: 'SETUP_INCOMPLETE',
      message: expect.stringContaining('s3://weft/payloads/'),
    });
    await expect(createPayloadStore(open(inS3())).get([hash])).rejects.toMatchObject({
      code: 'PAYLOAD_KEY_MISSING',
      message: expect.stringContaining('k1'),
    });
  });

  it('to a bucket that does not answer is an error that may pass', async () => {
    const pool = open({ ...inS3(), WEFT_S3_BUCKET: 'absent' });
    await expect(putOne(createPayloadStore(pool), jsonOf('nowhere'))).rejects.toMatchObject({
      code: 'PAYLOAD_STORE_UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('s3://absent/payloads/'),
    });
  });

  it('that is not complete is refused', () => {
    expect(() => open({ WEFT_PAYLOAD_STORE: 's3' })).toThrow('WEFT_S3_BUCKET');
    expect(() => open({ WEFT_S3_BUCKET: 'b', WEFT_S3_ACCESS_KEY_ID: 'id' })).toThrow('WEFT_S3_SECRET_ACCESS_KEY');
  });
});

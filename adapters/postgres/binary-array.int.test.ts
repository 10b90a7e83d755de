import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { int4Array, int8Array, jsonArray, textArray, timestampArray } from './binary-array.ts';
import { createPool } from './pool.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 1);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

async function echoed(type: string, array: Buffer): Promise<unknown[]> {
  const { rows } = await pool.query<{ value: unknown }>(`SELECT value FROM unnest($1::${type}[]) AS value`, [array]);
  return rows.map(({ value }) => value);
}

describe('binary arrays', () => {
  it('arrive in Postgres as what they were made of, nulls and none at all included', async () => {
    const texts = ['', 'a,"b\\{}', 'naïve 🙂', null];
    expect(await echoed('text', textArray(texts))).toEqual(texts);
    expect(await echoed('json', jsonArray(['{"a":"\\u0000"}', null, '1.50']))).toEqual([{ a: '\u0000' }, null, 1.5]);
    expect(await echoed('int', int4Array([-(2 ** 31), 0, 2 ** 31 - 1]))).toEqual([-(2 ** 31), 0, 2 ** 31 - 1]);
    expect(await echoed('bigint', int8Array([-(2n ** 63n), 2n ** 63n - 1n]))).toEqual([-(2n ** 63n), 2n ** 63n - 1n]);
    const times = [new Date('1969-12-31T23:59:59.999Z'), null, new Date('2026-11-24T06:30:41.898Z')];
    expect(await echoed('timestamptz', timestampArray(times))).toEqual(times);
    for (const array of [textArray([]), jsonArray([])]) expect(array).toHaveLength(12);
    expect(await echoed('text', textArray([]))).toEqual([]);
    expect(await echoed('int', int4Array([]))).toEqual([]);
  });
});

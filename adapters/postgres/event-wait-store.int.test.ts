import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { forgetClosedWaits, lookBack, noteNewWaits } from './event-wait-store.ts';
import { createPool } from './pool.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 4);
}, 60_000);
beforeEach(() => pool.query('DELETE FROM event_waits; DELETE FROM node_executions; DELETE FROM runs'));
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

async function openWaits(count: number): Promise<void> {
  await pool.query(
    `INSERT INTO runs (id, tenant_id, workflow_id, version, definition_hash, input, created_at)
     SELECT 'run-' || n, 'default', 'paying', 1, 'hash', '{}', now() FROM generate_series(1, $1) AS n`,
    [count],
  );
  await pool.query(
    `INSERT INTO node_executions (tenant_id, run_id, node_id, iteration, ordinal, type, status, attempts, input, output, started_at)
     SELECT 'default', 'run-' || n, 'paid', '1', 0, 'wait', 'WAITING', 1, json_build_object('event', 'paid', 'correlation', n), 'null', now()
     FROM generate_series(1, $1) AS n`,
    [count],
  );
}
const setStatus = (runId: string, status: string) =>
  pool.query('UPDATE node_executions SET status = $2 WHERE run_id = $1', [runId, status]);
const noted = async () => {
  const { rows } = await pool.query<{ run_id: string; correlation: string }>(
    'SELECT run_id, correlation FROM event_waits ORDER BY run_id',
  );
  return rows.map(({ run_id, correlation }) => `${run_id} ${correlation}`);
};

describe('new waits', () => {
  it('are noted once, however many look for them at the same time', async () => {
    await openWaits(5);
    await Promise.all([noteNewWaits(pool, 3), noteNewWaits(pool, 3), noteNewWaits(pool, 10)]);
    while ((await noteNewWaits(pool, 10)) > 0);
    expect(await noted()).toEqual(['run-1 1', 'run-2 2', 'run-3 3', 'run-4 4', 'run-5 5']);
    expect(await noteNewWaits(pool, 10)).toBe(0);
  });

  it('are left for the next time while the feed writes them, and waited for by nobody', async () => {
    await openWaits(1);
    const feed = await pool.connect();
    await feed.query(`BEGIN; UPDATE node_executions SET attempts = 2 WHERE run_id = 'run-1'`);
    expect(await noteNewWaits(pool, 10)).toBe(0);
    await feed.query('COMMIT');
    feed.release();
    expect(await noteNewWaits(pool, 10)).toBe(1);
    expect(await noted()).toEqual(['run-1 1']);
  });
});

describe('waits that are over', () => {
  it('are forgotten, and new again when they open again', async () => {
    await openWaits(3);
    await noteNewWaits(pool, 10);
    await lookBack(pool, 10);
    await setStatus('run-1', 'COMPLETED');
    await pool.query(`DELETE FROM node_executions WHERE run_id = 'run-2'`);
    await forgetClosedWaits(pool, 1);
    expect(await noted()).toEqual(['run-3 3']);
    await setStatus('run-1', 'WAITING');
    expect(await noteNewWaits(pool, 10)).toBe(1);
    expect(await noted()).toEqual(['run-1 1', 'run-3 3']);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { insertTestRun } from '../../tests/insert-test-run.ts';
import { createTestDatabase, uniqueName } from '../../tests/servers.ts';
import { saveProviderQuota, takeQuota } from './model-rules-store.ts';
import { createPool } from './pool.ts';

let pool: pg.Pool;
let close: () => Promise<void>;
beforeAll(async () => {
  const database = await createTestDatabase();
  pool = createPool(database.url, 20);
  close = async () => {
    await pool.end();
    await database.drop();
  };
  await pool.query(`INSERT INTO tenants (tenant_id, name) VALUES ('blue', 'Blue'), ('green', 'Green')`);
}, 60_000);
afterAll(() => close());
beforeEach(() => pool.query('DELETE FROM provider_quotas; DELETE FROM quota_uses; DELETE FROM quota_waits'));

async function runOf(tenant: string): Promise<string> {
  const id = uniqueName('run');
  await insertTestRun(pool, id, tenant);
  return id;
}
const quota = (requestsPerMinute: number | null, tokensPerMinute: number | null = null, model = '') =>
  saveProviderQuota(pool, { provider: 'lab', model, requestsPerMinute, tokensPerMinute });
const take = (run: string, tokens = 10, model = 'qwen3') =>
  takeQuota(pool, { runId: run, provider: 'lab', model, tokens });
const later = (seconds: number) =>
  pool.query(`UPDATE quota_uses SET second = second - make_interval(secs => $1)`, [seconds]);

describe('the quota of a provider', () => {
  it('lets exactly as many of many calls at once pass in a minute, and tells the others when there is room', async () => {
    await quota(5);
    const run = await runOf('blue');
    const waits = await Promise.all(Array.from({ length: 30 }, () => take(run)));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
    for (const wait of waits.filter((one) => one > 0)) expect(wait).toBeLessThanOrEqual(61_000);
    await later(40);
    expect(await take(run)).toBeLessThanOrEqual(21_000);
    await later(21);
    expect(await take(run)).toBe(0);
  }, 60_000);

  it('counts tokens, and lets a call that is larger than all of it pass when nobody else is there', async () => {
    await quota(null, 100);
    const run = await runOf('blue');
    expect([await take(run, 60), await take(run, 40)]).toEqual([0, 0]);
    expect(await take(run, 1)).toBeGreaterThan(0);
    await later(62);
    expect([await take(run, 500), (await take(run, 1)) > 0]).toEqual([0, true]);
  });

  it('of a model and of all models both count', async () => {
    await quota(3);
    await quota(1, null, 'qwen3');
    const run = await runOf('blue');
    expect([await take(run), await take(run, 1, 'other'), await take(run, 1, 'other')]).toEqual([0, 0, 0]);
    expect([(await take(run)) > 0, (await take(run, 1, 'other')) > 0]).toEqual([true, true]);
  });

  it('is shared by the tenants that want it: one that has had its share waits for the others', async () => {
    await quota(10);
    const [blue, green] = [await runOf('blue'), await runOf('green')];
    for (let call = 0; call < 10; call += 1) expect(await take(blue)).toBe(0);
    expect(await take(green)).toBeGreaterThan(0);
    await later(62);
    const counts = { blue: 0, green: 0 };
    for (let round = 0; round < 8; round += 1) {
      if ((await take(blue)) === 0) counts.blue += 1;
      if (round > 0 && (await take(green)) === 0) counts.green += 1;
    }
    expect(counts.blue + counts.green).toBe(10);
    expect(counts.green).toBeGreaterThanOrEqual(5);
  });

  it('is not there for providers without one', async () => {
    expect(await take(await runOf('blue'))).toBe(0);
    expect((await pool.query('SELECT FROM quota_uses')).rowCount).toBe(0);
  });
});

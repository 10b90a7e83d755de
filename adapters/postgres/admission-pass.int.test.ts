import { afterAll, beforeAll, describe, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';
import { FlowModel, flowStep } from '../../tests/flow-model.ts';
import { postgresFlowBoard } from '../../tests/postgres-flow-board.ts';
import { createTestDatabase, type TestDatabase } from '../../tests/servers.ts';
import { createPool } from './pool.ts';

let database: TestDatabase;
let pool: pg.Pool;
let boards = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 10);
}, 60_000);
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

describe('the store of flow control under any interleaving of arrivals, passes, crashes and ends', () => {
  it('never exceeds a limit, never loses or keeps a lease, and admits everybody in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(flowStep, { maxLength: 60, size: 'max' }), async (steps) => {
        await pool.query('DELETE FROM run_admissions; DELETE FROM run_leases; DELETE FROM rate_starts');
        const model = new FlowModel(await postgresFlowBoard(pool, `b${(boards += 1)}`));
        for (const step of steps) await step.run(model);
        await model.drain();
      }),
      { numRuns: 15, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true },
    );
  }, 300_000);
});

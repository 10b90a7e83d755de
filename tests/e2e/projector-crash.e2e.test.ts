import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectDensePositions, expectEveryEventOnce } from './audit.ts';
import { threeCalls } from './definitions.ts';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';

let ledger: Ledger;
let stack: Stack;

beforeAll(async () => {
  ledger = await startLedger();
  stack = await startStack({ env: { WEFT_HTTP_ALLOWED_HOSTS: ledger.host, WEFT_RECONCILE_INTERVAL_MS: '2000' } });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await ledger?.close();
});

describe('a projector that is killed', () => {
  it('in the middle of a page leaves no half of it, and the next one brings every event once', async () => {
    const workflowId = await publish('page');
    const holder = await stack.pool.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE node_executions IN ACCESS EXCLUSIVE MODE');
    const runId = await startRun(workflowId);
    await blockedWriter();
    await stack.processes.projector.kill();
    await holder.query('COMMIT');
    holder.release();
    const { rows } = await stack.pool.query<{ count: string }>(
      'SELECT count(*) FROM events JOIN event_streams USING (stream_key) WHERE run_id = $1',
      [runId],
    );
    expect(rows[0]?.count).toBe('0');
    await stack.start('projector');
    await stack.graphql.until(runId, ['COMPLETED']);
    await expectEveryEventOnce(stack, runId);
    await expectDensePositions(stack);
  }, 90_000);

  it('again and again under load loses nothing and repeats nothing', async () => {
    const workflowId = await publish('load');
    const runIds: string[] = [];
    const load = (async () => {
      for (let index = 0; index < 30; index += 1) {
        runIds.push(await startRun(workflowId));
        await sleep(100);
      }
    })();
    for (let kills = 0; kills < 4; kills += 1) {
      await sleep(400 + kills * 150);
      await stack.processes.projector.kill();
      await stack.start('projector');
    }
    await load;
    for (const runId of runIds) {
      await stack.graphql.until(runId, ['COMPLETED']);
      await expectEveryEventOnce(stack, runId);
    }
    await expectDensePositions(stack);
  }, 120_000);
});

const publish = (name: string) =>
  stack.graphql.publish(threeCalls(name, [ledger.url('/a'), ledger.url('/b'), ledger.url('/c')]));

const startRun = (workflowId: string) => stack.graphql.execute(workflowId, {});

/** Resolves when a transaction of the projector stands in front of our lock. */
async function blockedWriter(): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { rows } = await stack.pool.query("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation'");
    if (rows.length > 0) return;
    await sleep(50);
  }
  throw new Error('the projector never reached the lock');
}

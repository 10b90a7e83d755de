import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { Registry } from 'prom-client';
import { acceptRun } from '../adapters/postgres/accept-run.ts';
import { passAdmissions } from '../adapters/postgres/admission-pass.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import type { FlowPolicies } from '../domain/runs/flow-control/flow-policies.ts';
import { flowRequest } from '../domain/runs/flow-control/flow-request.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../tests/servers.ts';
import { createDispatcherMetrics } from './dispatcher-metrics.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 4);
}, 60_000);
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

async function accept(workflow: string, policies: FlowPolicies, { count = 1, delayMs = 0 } = {}): Promise<void> {
  const flow = flowRequest(policies, { workflowId: workflow, input: {} });
  for (let made = 0; made < count; made += 1) {
    const record = {
      id: runId(uniqueName(workflow)),
      tenantId: DEFAULT_TENANT,
      workflowId: workflowId(workflow),
      version: 1,
      definitionHash: definitionHash('hash'),
      input: {},
      idempotencyKey: null,
      createdAt: new Date(),
    };
    await acceptRun(pool, record, flow, { startAt: null, delayMs, digest: '', traceparent: null });
  }
}

describe('the figures of flow control', () => {
  it('tell how many runs wait for what, how long the first has, and what is held', async () => {
    await accept('lane', { concurrency: [{ limit: 2 }] }, { count: 5 });
    await accept('latest', { singleton: { onConflict: 'cancel' } });
    await accept('gentle', { rateLimit: { limit: 1, periodMs: 600_000 } }, { count: 3 });
    await accept('settling', { debounce: { periodMs: 600_000 } });
    await accept('later', {}, { count: 2, delayMs: 600_000 });
    await passAdmissions(pool, DEFAULT_TENANT, 100);
    await accept('lane', { concurrency: [{ limit: 2 }] });
    await pool.query(`UPDATE run_admissions SET since = since - interval '1 hour', ready_at = ready_at - interval '1 hour'
                      WHERE run_id LIKE 'lane%'`);
    const registry = new Registry();
    const { admitted } = createDispatcherMetrics(registry, pool);
    admitted.inc(4);
    const page = await registry.metrics();
    const value = (name: string) =>
      Number(
        page
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')[1],
      );
    const waiting = (policy: string) => value(`weft_flow_waiting_runs{policy="${policy}"}`);
    const policies = ['concurrency', 'singleton', 'rate', 'debounce', 'delay', 'admission', 'start'];
    expect(Object.fromEntries(policies.map((policy) => [policy, waiting(policy)]))).toEqual({
      concurrency: 3,
      singleton: 0,
      rate: 2,
      debounce: 1,
      delay: 2,
      admission: 1,
      start: 4,
    });
    expect(value('weft_flow_leases')).toBe(3);
    expect(value('weft_flow_admissions_total')).toBe(4);
    expect(Math.floor(value('weft_flow_oldest_wait_seconds') / 60)).toBe(60);
  });
});

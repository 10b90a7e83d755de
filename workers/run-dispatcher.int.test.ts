import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { acceptRun } from '../adapters/postgres/accept-run.ts';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { loadSettings } from '../config/load.ts';
import { definitionHash, runId, tenantId } from '../domain/identifiers.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { flowRequest } from '../domain/runs/flow-control/flow-request.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { contentHash } from '../temporal/content-hash.ts';
import { createTestNamespace } from '../tests/namespaces.ts';
import { createTestDatabase, type TestDatabase, testTemporal, uniqueName } from '../tests/servers.ts';
import { createDispatcherMetrics } from './dispatcher-metrics.ts';
import { startRunDispatcher } from './run-dispatcher.ts';
import { startStoredRun } from './start-stored-run.ts';

const WEIGHTS = { acme: 3, default: 1 };
const RUNS_EACH = 300;
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** Runs admitted in one turn of a tenant; two processes may each take one. */
const TURN = 25;
const definition: WorkflowDefinition = {
  name: 'admitted',
  nodes: [{ id: 'hold', type: 'delay', config: { durationMs: 600_000 } }],
  edges: [],
  policies: { concurrency: [{ limit: 10_000 }] },
};

let database: TestDatabase;
let pool: pg.Pool;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  const [created, namespace] = await Promise.all([createTestDatabase(), createTestNamespace()]);
  database = created;
  const settings = loadSettings({ TEMPORAL_ADDRESS: testTemporal().address, TEMPORAL_NAMESPACE: namespace });
  pool = createPool(database.url, 20);
  connection = await connectTemporal(settings);
  client = createTemporalClient(connection, settings, createPayloadStore(pool));
}, 60_000);
afterAll(async () => {
  await connection?.close();
  await pool?.end();
  await database?.drop();
});

async function accept(tenant: string, count: number, traceparent: string | null = null): Promise<string[]> {
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  const { version, workflowId } = await publishDefinition(pool, { tenantId: tenantId(tenant), hash, definition });
  const flow = flowRequest(definition.policies, { workflowId, input: {} });
  const ids = Array.from({ length: count }, () => runId(uniqueName(tenant)));
  for (const id of ids) {
    const record = {
      id,
      tenantId: tenantId(tenant),
      workflowId,
      version,
      definitionHash: hash,
      input: {},
      idempotencyKey: null,
      createdAt: new Date(),
    };
    await acceptRun(pool, record, flow, { startAt: null, delayMs: 0, digest: '', traceparent });
  }
  return ids;
}

/** So many dispatchers together, until Temporal has so many runs; their tenants in the order of the starts. */
async function dispatch(dispatchers: number, until: number): Promise<string[]> {
  const started: string[] = [];
  const begin = () =>
    startRunDispatcher({
      databaseUrl: database.url,
      pool,
      async startRun(run: RunRecord) {
        await startStoredRun({ pool, clientOf: () => client, tenantWeights: WEIGHTS }, run);
        started.push(run.tenantId);
      },
      cancelRun: () => Promise.resolve(),
      hint: () => undefined,
      tenantWeights: WEIGHTS,
      metrics: createDispatcherMetrics(new Registry(), pool),
      log: pino({ level: 'silent' }),
    });
  const running = Array.from({ length: dispatchers }, begin);
  for (let tries = 0; started.length < until && tries < 1_200; tries += 1) await sleep(50);
  await Promise.all(running.map((dispatcher) => dispatcher.stop()));
  expect(started.length).toBeGreaterThanOrEqual(until);
  return started;
}

const forget = () => pool.query('DELETE FROM run_admissions; DELETE FROM run_leases; DELETE FROM fair_turns');

describe('tenants of weights three and one that both have a backlog', () => {
  it.each([1, 2])(
    'are started three to one by %i dispatchers, and both to the end',
    async (dispatchers) => {
      await forget();
      await accept('beta', RUNS_EACH);
      await accept('acme', RUNS_EACH);
      const started = await dispatch(dispatchers, 2 * RUNS_EACH);
      const last = started.lastIndexOf('acme') + 1;
      const ofBeta = started.slice(0, last).filter((tenant) => tenant === 'beta').length;
      expect(ofBeta).toBeGreaterThanOrEqual(RUNS_EACH / 3 - dispatchers * TURN - 32);
      expect(ofBeta).toBeLessThanOrEqual(RUNS_EACH / 3 + dispatchers * TURN + 32);
    },
    120_000,
  );
});

describe('a run that a dispatcher starts', () => {
  it('has the trace of the request that asked for it, and the weight of its tenant', async () => {
    await forget();
    const [id = ''] = await accept('acme', 1, TRACEPARENT);
    await dispatch(1, 1);
    const { memo, raw } = await client.workflow.getHandle(id).describe();
    expect(memo).toMatchObject({ traceparent: TRACEPARENT });
    expect(raw.workflowExecutionInfo?.priority).toMatchObject({ fairnessKey: 'acme', fairnessWeight: 3 });
  }, 60_000);
});

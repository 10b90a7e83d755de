import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type pg from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { readRunEvents } from '../adapters/postgres/event-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { hintRuns } from '../adapters/postgres/run-hints.ts';
import { insertRun, readRun } from '../adapters/postgres/run-store.ts';
import { loadSettings } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { DEFAULT_TENANT, definitionHash, runId, type RunId, workflowId } from '../domain/identifiers.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { sharedNamespace } from '../temporal/tenant-namespaces.ts';
import { createHistoryDecoder } from '../temporal/history-payloads.ts';
import { createTestNamespace } from '../tests/namespaces.ts';
import { createTestDatabase, testTemporal, type TestDatabase, uniqueName } from '../tests/servers.ts';
import { startProjector } from './projector.ts';
import { createProjectorMetrics } from './projector-metrics.ts';

const TASK_QUEUE = 'continuing';
const napping: WorkflowDefinition = {
  name: 'napping',
  nodes: [{ id: 'nap', type: 'delay', config: { durationMs: 10 } }],
  edges: [],
};

let database: TestDatabase;
let settings: Settings;
let pool: pg.Pool;
let connection: Connection;
let native: NativeConnection;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  settings = {
    ...loadSettings({}),
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
  pool = createPool(database.url, 5);
  connection = await connectTemporal(settings);
  native = await NativeConnection.connect({ address: testTemporal().address });
  client = createTemporalClient(connection, settings, createPayloadStore(pool));
}, 120_000);

afterAll(async () => {
  await native?.close();
  await connection?.close();
  await pool?.end();
  await database?.drop();
});

async function insert(): Promise<RunId> {
  const hash = definitionHash('0'.repeat(64));
  await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition: napping });
  const { run } = await insertRun(pool, {
    id: runId(uniqueName('run')),
    tenantId: DEFAULT_TENANT,
    workflowId: workflowId('napping'),
    version: 1,
    definitionHash: hash,
    input: 'once',
    idempotencyKey: null,
    createdAt: new Date(),
  });
  return run.id;
}

async function whileProjecting(work: () => Promise<void>): Promise<void> {
  const projector = await startProjector({
    databaseUrl: database.url,
    pool,
    connection,
    namespaces: sharedNamespace(settings.TEMPORAL_NAMESPACE),
    workflowQueues: ['continuing'],
    decode: createHistoryDecoder(settings, createPayloadStore(pool)),
    startRun: () => Promise.resolve(),
    cancelRun: () => Promise.resolve(),
    reconcileIntervalMs: 1_000,
    metrics: createProjectorMetrics(new Registry()),
    log: pino({ level: 'silent' }),
  });
  await work().finally(() => projector.stop());
}

async function untilCompleted(id: RunId): Promise<void> {
  for (const until = Date.now() + 30_000; Date.now() < until; await sleep(50)) {
    if ((await readRun(pool, DEFAULT_TENANT, id))?.status === 'COMPLETED') return;
  }
  throw new Error(`${id} did not complete`);
}

async function expectThreeLinks(id: RunId): Promise<void> {
  const events = await readRunEvents(pool, id, { first: 1_000 });
  const links = Map.groupBy(events, ({ streamId }) => streamId);
  expect(links.size).toBe(3);
  for (const link of links.values()) {
    expect(link.map(({ version }) => version)).toEqual(link.map((_, index) => index + 1));
    expect(link[0]?.type).toBe('run.started');
  }
  expect([...links.values()].map((link) => link.at(-1)?.type)).toEqual([
    'run.continued_as_new',
    'run.continued_as_new',
    'run.completed',
  ]);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  const run = await readRun(pool, DEFAULT_TENANT, id);
  expect(run).toMatchObject({ output: 'done in link 3', eventCount: events.length });
  expect(run?.startedAt).toEqual(events[0]?.occurredAt);
}

describe('a run that continues as new', () => {
  it('is followed from history to history, live and when all of them are over', async () => {
    const worker = await Worker.create({
      connection: native,
      namespace: settings.TEMPORAL_NAMESPACE,
      taskQueue: TASK_QUEUE,
      workflowsPath: fileURLToPath(new URL('../tests/continuing-workflow.ts', import.meta.url)),
    });
    const start = (id: RunId) =>
      client.workflow.start('run', {
        workflowId: id,
        taskQueue: TASK_QUEUE,
        args: [{ input: 'once', interpreterVersion: 1 }],
      });
    await worker.runUntil(async () => {
      const late = await insert();
      await (await start(late)).result();
      await whileProjecting(async () => {
        const live = await insert();
        await start(live);
        await hintRuns(pool, [live, late]);
        for (const id of [live, late]) {
          await untilCompleted(id);
          await expectThreeLinks(id);
        }
      });
    });
  }, 120_000);
});

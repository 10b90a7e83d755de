import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { publishDefinition } from '../../../adapters/postgres/definition-store.ts';
import { createPayloadStore } from '../../../adapters/postgres/payload-store.ts';
import { createPool } from '../../../adapters/postgres/pool.ts';
import { readEvents } from '../../../adapters/postgres/read-events.ts';
import { hintRuns } from '../../../adapters/postgres/run-hints.ts';
import { insertRun } from '../../../adapters/postgres/run-store.ts';
import { consumeOnce, createSubscription } from '../../../adapters/postgres/subscriptions.ts';
import { loadSettings } from '../../../config/load.ts';
import { DEFAULT_TENANT, definitionHash, runId } from '../../../domain/identifiers.ts';
import { canonicalJson } from '../../../domain/runs/canonical-json.ts';
import type { WorkflowDefinition } from '../../../domain/runs/definition.ts';
import { connectTemporal, createTemporalClient } from '../../../temporal/client.ts';
import { sharedNamespace } from '../../../temporal/tenant-namespaces.ts';
import { contentHash } from '../../../temporal/content-hash.ts';
import { createHistoryDecoder } from '../../../temporal/history-payloads.ts';
import { startRunWorkflow } from '../../../temporal/start-run-workflow.ts';
import { eventFaults } from '../../../tests/event-faults.ts';
import { createTestNamespace } from '../../../tests/namespaces.ts';
import { createTestDatabase, type TestDatabase, testTemporal, uniqueName } from '../../../tests/servers.ts';
import { bundleWorkflows } from '../../../workers/bundle.ts';
import { startProjector, type Projector } from '../../../workers/projector.ts';
import { createProjectorMetrics } from '../../../workers/projector-metrics.ts';
import { type RunningWorkers, startWorkers } from '../../../workers/start-workers.ts';

const MAIN = join(import.meta.dirname, '../main.ts');
const log = pino({ level: 'silent' });
const napping: WorkflowDefinition = {
  name: 'napping',
  nodes: [
    { id: 'double', type: 'transform', config: { value: 'input.n * 2' } },
    { id: 'nap', type: 'delay', config: { durationMs: 10 } },
  ],
  edges: [{ from: 'double', to: 'nap' }],
  output: 'input.text',
};

const sleeping: WorkflowDefinition = {
  name: 'sleeping',
  nodes: [{ id: 'nap', type: 'delay', config: { durationMs: 3_600_000 } }],
  edges: [],
};

let database: TestDatabase;
let pool: pg.Pool;
let connection: Connection;
let client: Client;
let workers: RunningWorkers;
let projector: Projector;
let environment: Record<string, string>;

beforeAll(async () => {
  database = await createTestDatabase();
  environment = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
  const settings = { ...loadSettings(environment), DATABASE_URL: database.url };
  pool = createPool(database.url, 10);
  connection = await connectTemporal(settings);
  client = createTemporalClient(connection, settings, createPayloadStore(pool));
  workers = await startWorkers({ settings, queues: ['runs'], workflowBundle: { code: await bundleWorkflows() }, log });
  projector = await startProjector({
    databaseUrl: database.url,
    pool,
    connection,
    namespaces: sharedNamespace(settings.TEMPORAL_NAMESPACE),
    workflowQueues: ['runs'],
    decode: createHistoryDecoder(settings, createPayloadStore(pool)),
    startRun: (run) => startRunWorkflow(client, run, napping),
    cancelRun: async () => undefined,
    reconcileIntervalMs: 1_000,
    metrics: createProjectorMetrics(new Registry()),
    log,
  });
}, 120_000);

afterAll(async () => {
  await projector?.stop();
  await workers?.stop();
  await connection?.close();
  await pool?.end();
  await database?.drop();
});

async function startedRun(definition: WorkflowDefinition): Promise<string> {
  const hash = definitionHash(contentHash(canonicalJson(definition)));
  const { workflowId, version } = await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition });
  const { run } = await insertRun(pool, {
    ...{ id: runId(uniqueName('run')), tenantId: DEFAULT_TENANT, workflowId, version, definitionHash: hash },
    ...{ input: { n: 21, text: 'x'.repeat(20_000) }, idempotencyKey: null, createdAt: new Date() },
  });
  await startRunWorkflow(client, run, definition);
  await hintRuns(pool, [run.id]);
  return run.id;
}

async function completedRun(): Promise<string> {
  const id = await startedRun(napping);
  await client.workflow.getHandle(id).result();
  return id;
}

type Outcome = { code: number; stdout: string; stderr: string };

function weft(...words: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment, NODE_OPTIONS: '' };
    execFile(process.execPath, [MAIN, 'events', ...words], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function tamper(statement: string, id: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN; SET LOCAL ROLE NONE; ALTER TABLE events DISABLE TRIGGER USER');
    const { rowCount } = await client.query(
      `${statement} WHERE stream_key = (SELECT stream_key FROM event_streams WHERE run_id = '${id}') AND version = 3`,
    );
    expect(rowCount).toBe(1);
    await client.query(`ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;
      ALTER TABLE events ENABLE ALWAYS TRIGGER events_kept_or_archived; COMMIT`);
  } finally {
    client.release();
  }
}

describe('weft events', () => {
  it('finds no difference between the store and Temporal, and whole chains, after real runs', async () => {
    const ids = [await completedRun(), await completedRun()];
    const audit = await weft('audit', '--last', '10', '--json');
    expect(JSON.parse(audit.stdout)).toMatchObject({ runs: 2, gone: [], differences: [] });
    expect(JSON.parse(audit.stdout).events).toBeGreaterThan(10);
    expect(audit.code).toBe(0);
    const verify = await weft('verify', '--run', ids[0] as string, '--json');
    expect(JSON.parse(verify.stdout)).toMatchObject({ streams: 1, found: [], goneValues: 0 });
    expect(verify.code).toBe(0);
    expect(await eventFaults(pool)).toEqual([]);
    const read = { tenantId: DEFAULT_TENANT, filter: { types: ['run.completed', 'timer.*'] }, first: 100 };
    const found = (await readEvents(pool, read)).filter(({ correlationId }) => ids.includes(correlationId ?? ''));
    expect(found.map(({ type }) => type).sort()).toEqual([
      ...['run.completed', 'run.completed', 'timer.fired', 'timer.fired', 'timer.started', 'timer.started'],
    ]);
  });

  it('finds no difference in a run that was reset while it waited, open and closed', async () => {
    const id = await startedRun(sleeping);
    const handle = client.workflow.getHandle(id);
    while (((await handle.fetchHistory()).events ?? []).length < 5) await sleep(20);
    await connection.workflowService.resetWorkflowExecution({
      ...{
        namespace: environment['TEMPORAL_NAMESPACE'] ?? '',
        workflowExecution: { workflowId: id },
        reason: 'once more',
      },
      ...{ workflowTaskFinishEventId: 4 as never, requestId: uniqueName('reset') },
    });
    // The link before is closed by the reset; the run is open again once the next one is seen.
    const audited = async () => JSON.parse((await weft('audit', '--open', '--json')).stdout);
    for (let tries = 0; tries < 20 && (await audited()).runs === 0; tries += 1) await sleep(500);
    expect(await audited()).toMatchObject({ runs: 1, differences: [] });
    await client.workflow.getHandle(id).terminate('enough');
    const { runs, events, differences } = JSON.parse((await weft('audit', '--run', id, '--json')).stdout);
    expect({ runs, differences }).toEqual({ runs: 1, differences: [] });
    expect(events).toBeGreaterThan(10);
  });

  it('names a changed and a removed row, by the chain and by what Temporal has, with exit code 1', async () => {
    const [changed, removed] = [await completedRun(), await completedRun()];
    expect((await weft('audit', '--last', '10')).code).toBe(0);
    await tamper(`UPDATE events SET type = 'node.failed', occurred_at = occurred_at + interval '1 s'`, changed);
    await tamper('DELETE FROM events', removed);

    const verify = await weft('verify', '--all', '--json');
    expect(verify.code).toBe(1);
    expect(JSON.parse(verify.stdout).found.map(({ version, kind }: any) => [version, kind])).toEqual([
      [3, 'FIELDS'],
      [3, 'REMOVED'],
      [null, 'POSITION'],
      // The index of types does not have the one that it was changed to.
      [null, 'UNLISTED'],
    ]);
    const one = await weft('audit', '--run', changed, '--json');
    expect(one.code).toBe(1);
    expect(JSON.parse(one.stdout).differences).toMatchObject([
      { runId: changed, version: 3, field: 'type', stored: 'node.failed', history: 'workflow_task.started' },
      { runId: changed, version: 3, field: 'occurredAt' },
    ]);
    const other = await weft('audit', '--run', removed);
    expect(other.code).toBe(1);
    expect(other.stdout).toMatch(/version 3 event: stored nothing, Temporal has "workflow_task.started"/);
  });

  it('lists dead letters with the reason, and queues them again', async () => {
    const subscription = { tenantId: DEFAULT_TENANT, name: 'mail' };
    await createSubscription(pool, { ...subscription, partitions: 1 });
    const fail = async () => {
      throw new Error('no such address');
    };
    await completedRun();
    await consumeOnce(pool, subscription, fail, { maxAttempts: 1, batch: 1 });
    const list = JSON.parse((await weft('dead-letters', 'list', '--subscription', 'mail', '--json')).stdout);
    expect(list.deadLetters).toMatchObject([
      {
        name: 'mail',
        position: 1,
        state: 'DEAD',
        attempts: 1,
        type: 'definition.published',
        error: { message: 'no such address' },
      },
    ]);
    expect((await weft('dead-letters', 'list')).stdout).toContain('no such address');
    expect(await weft('dead-letters', 'requeue', '--subscription', 'other')).toMatchObject({ code: 1 });
    expect(await weft('dead-letters', 'requeue', '--subscription', 'mail', '--position', '1')).toMatchObject({
      ...{ code: 0, stdout: '1 queued to be handled again\n' },
    });
    const seen: bigint[] = [];
    await consumeOnce(pool, subscription, async (events) => void seen.push(...events.map(({ position }) => position)));
    expect(seen).toEqual([1n]);
    expect((await weft('dead-letters', 'list')).stdout).toBe('no dead letters\n');
  });

  it('says when there is no such run, and what is wrong with the command line', async () => {
    expect(await weft('audit', '--run', 'nobody')).toMatchObject({ code: 1, stderr: 'there is no run nobody\n' });
    expect(await weft('verify', '--run', 'nobody')).toMatchObject({ code: 1 });
    for (const words of [
      ['verify'],
      ['audit'],
      ['audit', '--open', '--last', '3'],
      ['audit', '--last', '0'],
      ['dead-letters', 'requeue'],
    ]) {
      expect((await weft(...words)).code).toBe(2);
    }
  });
});

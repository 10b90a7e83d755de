import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { readRunEvents } from '../adapters/postgres/event-store.ts';
import { listNodeExecutions } from '../adapters/postgres/node-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { type Rebuilt, rebuildProjections } from '../adapters/postgres/rebuild-projections.ts';
import { hintRuns } from '../adapters/postgres/run-hints.ts';
import { readRunStateAt } from '../adapters/postgres/run-state-at.ts';
import { insertRun, readRun } from '../adapters/postgres/run-store.ts';
import { loadSettings } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { foldRunEvent } from '../domain/events/fold-run.ts';
import { DEFAULT_TENANT, definitionHash, runId, type RunId } from '../domain/identifiers.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import { compileDefinition } from '../domain/runs/compile.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { APPROVE_UPDATE, STATE_QUERY } from '../domain/runs/messages.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { initialState, stateAsJson } from '../domain/runs/run-state.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { sharedNamespace } from '../temporal/tenant-namespaces.ts';
import { contentHash } from '../temporal/content-hash.ts';
import { createHistoryDecoder } from '../temporal/history-payloads.ts';
import { cancelRunWorkflow } from '../temporal/run-commands.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { createTestNamespace } from '../tests/namespaces.ts';
import {
  createTestDatabase,
  testTemporal,
  type TestDatabase,
  uniqueName,
  testWorkflowBundle,
} from '../tests/servers.ts';
import { type Projector, type ProjectorOptions, startProjector } from './projector.ts';
import { createProjectorMetrics } from './projector-metrics.ts';
import { type RunningWorkers, startWorkers } from './start-workers.ts';

type TestSettings = Settings & { DATABASE_URL: string };
let database: TestDatabase;
let settings: TestSettings;
let pool: pg.Pool;
let connection: Connection;
let client: Client;
let workers: RunningWorkers;
const projectors: Projector[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  settings = {
    ...loadSettings({}),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
  pool = createPool(database.url, 20);
  connection = await connectTemporal(settings);
  client = createTemporalClient(connection, settings, createPayloadStore(pool));
  workers = await startWorkers({
    settings,
    queues: ['runs'],
    workflowBundle: testWorkflowBundle(),
    log: pino({ level: 'silent' }),
  });
}, 120_000);

afterAll(async () => {
  await stopProjectors();
  await workers?.stop();
  await connection?.close();
  await pool?.end();
  await database?.drop();
});

async function project(options: Partial<ProjectorOptions> = {}): Promise<void> {
  projectors.push(
    await startProjector({
      databaseUrl: database.url,
      pool,
      connection,
      namespaces: sharedNamespace(settings.TEMPORAL_NAMESPACE),
      workflowQueues: ['runs'],
      decode: createHistoryDecoder(settings, createPayloadStore(pool)),
      startRun: (run) => startRunWorkflow(client, run, asking),
      cancelRun: (run, reason) => cancelRunWorkflow(client, run.runId, reason),
      reconcileIntervalMs: 1_000,
      metrics: createProjectorMetrics(new Registry()),
      log: pino({ level: 'silent' }),
      ...options,
    }),
  );
}

async function stopProjectors(): Promise<void> {
  await Promise.all(projectors.splice(0).map((projector) => projector.stop()));
}

const asking: WorkflowDefinition = {
  name: 'asking',
  nodes: [
    { id: 'double', type: 'transform', config: { value: 'input.n * 2' } },
    { id: 'ask', type: 'approval', config: { title: 'Go on?', timeoutMs: 3_600_000 } },
    { id: 'nap', type: 'delay', config: { durationMs: 10 } },
    { id: 'sad', type: 'transform', config: { value: '"rejected"' } },
  ],
  edges: [
    { from: 'double', to: 'ask' },
    { from: 'ask', port: 'approved', to: 'nap' },
    { from: 'ask', port: 'rejected', to: 'sad' },
  ],
  output: 'nodes.ask.output.data',
};

async function insert(createdAt = new Date()): Promise<RunRecord> {
  const hash = definitionHash(contentHash(canonicalJson(asking)));
  const { workflowId, version } = await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition: asking });
  const { run } = await insertRun(pool, {
    id: runId(uniqueName('run')),
    tenantId: DEFAULT_TENANT,
    workflowId,
    version,
    definitionHash: hash,
    input: { n: 21, text: 'x'.repeat(20_000) },
    idempotencyKey: null,
    createdAt,
  });
  return run;
}

async function start({ hinted = true } = {}): Promise<RunId> {
  const run = await insert();
  await startRunWorkflow(client, run, asking);
  if (hinted) await hintRuns(pool, [run.id]);
  return run.id;
}

async function approve(id: RunId, data: Json = { big: 'y'.repeat(30_000) }): Promise<void> {
  const request = { nodeId: 'ask', decision: 'APPROVED', comment: null, data, decidedBy: 'ann' };
  await eventually(async () => {
    const state = await client.workflow.getHandle(id).query<JsonObject>(STATE_QUERY);
    expect(state['status']).toBe('WAITING');
  });
  await client.workflow.getHandle(id).executeUpdate(APPROVE_UPDATE, { args: [request] });
}

async function untilStatus(id: RunId, status: RunRecord['status']): Promise<void> {
  await eventually(async () => expect((await readRun(pool, DEFAULT_TENANT, id))?.status).toBe(status));
}

async function eventually(check: () => Promise<void>, withinMs = 30_000): Promise<void> {
  for (const until = Date.now() + withinMs; ; await sleep(50)) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

async function expectWholeHistory(id: RunId): Promise<void> {
  const history = await client.workflow.getHandle(id).fetchHistory();
  const stored = await readRunEvents(pool, id, { first: 10_000 });
  expect(stored.map(({ version }) => version)).toEqual(history.events?.map((event) => Number(event.eventId)));
}

/** Whole rows as Postgres prints them. */
async function readModelText(): Promise<string[]> {
  const runs = await pool.query<{ text: string }>('SELECT runs::text AS text FROM runs ORDER BY id');
  const nodes = await pool.query<{ text: string }>(
    'SELECT node::text AS text FROM node_executions node ORDER BY run_id, ordinal, iteration',
  );
  return [...runs.rows, ...nodes.rows].map(({ text }) => text);
}

describe('the projector', () => {
  it('stores every event once and projects what the workflow itself knows', async () => {
    await project();
    const id = await start();
    await untilStatus(id, 'WAITING');
    await approve(id);
    await untilStatus(id, 'COMPLETED');
    await expectWholeHistory(id);
    const live = await client.workflow.getHandle(id).query<JsonObject>(STATE_QUERY);
    const liveNodes = live['nodes'] as Record<string, JsonObject>;
    const nodes = await listNodeExecutions(pool, id);
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual(['double', 'ask', 'nap', 'sad']);
    for (const node of nodes) {
      const { status, input, output, attempts } = node;
      expect(liveNodes[node.nodeId]).toMatchObject({ status, input, output, attempts });
    }
    const run = await readRun(pool, DEFAULT_TENANT, id);
    expect(run).toMatchObject({ output: { big: 'y'.repeat(30_000) }, input: { n: 21 }, error: null });
    expect(run?.eventCount).toBe((await readRunEvents(pool, id, { first: 1_000 })).length);
    await stopProjectors();
  }, 90_000);

  it('tells the state at each event as a fold of the events so far', async () => {
    await project();
    const id = await start();
    await approve(id, 7);
    await untilStatus(id, 'COMPLETED');
    const compiled = compileDefinition(asking);
    let state = initialState(compiled);
    expect(await readRunStateAt(pool, id, 0)).toEqual(stateAsJson(state));
    for (const event of await readRunEvents(pool, id, { first: 1_000 })) {
      state = foldRunEvent(compiled, state, event);
      expect(await readRunStateAt(pool, id, event.sequence)).toEqual(stateAsJson(state));
    }
    expect(state.status).toBe('COMPLETED');
    await expect(readRunStateAt(pool, 'nobody', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await stopProjectors();
  }, 90_000);

  it('reads again from the first event when the saved token is refused, and repeats nothing', async () => {
    await project();
    const id = await start();
    await untilStatus(id, 'WAITING');
    await stopProjectors();
    await pool.query("UPDATE event_streams SET next_page_token = 'nonsense' WHERE run_id = $1", [id]);
    await approve(id, 1);
    await project();
    await hintRuns(pool, [id]);
    await untilStatus(id, 'COMPLETED');
    await expectWholeHistory(id);
    await stopProjectors();
  }, 90_000);

  it('follows a run that was reset into its new history, and the run starts afresh', async () => {
    await project();
    const id = await start();
    await approve(id, 'first');
    await untilStatus(id, 'COMPLETED');
    const first = await readRunEvents(pool, id, { first: 1_000 });
    await connection.workflowService.resetWorkflowExecution({
      namespace: settings.TEMPORAL_NAMESPACE,
      workflowExecution: { workflowId: id, runId: (await client.workflow.getHandle(id).describe()).runId },
      reason: 'try again',
      requestId: uniqueName('reset'),
      workflowTaskFinishEventId: 4 as never,
      resetReapplyExcludeTypes: [2],
    });
    await approve(id, 'second');
    await eventually(async () => expect((await readRun(pool, DEFAULT_TENANT, id))?.output).toBe('second'), 60_000);
    const stored = await readRunEvents(pool, id, { first: 1_000 });
    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
    expect(stored.slice(0, first.length)).toEqual(first);
    expect(new Set(stored.map(({ streamId }) => streamId)).size).toBe(2);
    await stopProjectors();
  }, 120_000);

  it('shares the shards with others, and no event is stored twice', async () => {
    await project();
    await project();
    await project();
    const ids = await Promise.all(Array.from({ length: 12 }, () => start()));
    await Promise.all(ids.map((id) => approve(id, 1)));
    for (const id of ids) await untilStatus(id, 'COMPLETED');
    for (const id of ids) await expectWholeHistory(id);
    // They even out about once a second.
    await eventually(async () => {
      const { rows } = await pool.query<{ holders: number; locks: number }>(
        `SELECT count(DISTINCT pid)::int AS holders, count(*)::int AS locks FROM pg_locks
         WHERE locktype = 'advisory' AND classid = 0x57454654 AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      expect(rows[0]).toEqual({ holders: 3, locks: 16 });
    }, 30_000);
    await stopProjectors();
  }, 120_000);
});

describe('the reconciler', () => {
  it('brings every event within 30 s when every hint is lost', async () => {
    await project({ useHints: false, reconcileIntervalMs: 5_000 });
    const waiting = await start({ hinted: false });
    const closed = await start({ hinted: false });
    await eventually(() => untilStatus(waiting, 'WAITING'));
    await approve(closed, 1);
    await eventually(() => untilStatus(closed, 'COMPLETED'));
    await expectWholeHistory(closed);
    await stopProjectors();
  }, 120_000);

  it('starts a run whose row was inserted and nothing more', async () => {
    await project({ useHints: false });
    const { id } = await insert(new Date(Date.now() - 60_000));
    await eventually(() => untilStatus(id, 'WAITING'));
    await stopProjectors();
  }, 90_000);
});

describe('rebuilding the projections', () => {
  it('gives the same bytes from the stored events alone, and keeps tables and indexes', async () => {
    const before = await readModelText();
    const shape = async () =>
      (
        await pool.query(
          `SELECT indexdef AS text FROM pg_indexes WHERE tablename IN ('runs', 'node_executions')
           UNION ALL SELECT relname || coalesce(reloptions::text, '') FROM pg_class WHERE relname IN ('runs', 'node_executions')
           UNION ALL SELECT conname::text FROM pg_constraint
             WHERE conrelid IN ('runs'::regclass, 'node_executions'::regclass) ORDER BY 1`,
        )
      ).rows;
    const shapeBefore = await shape();
    await pool.query(`DELETE FROM node_executions;
      UPDATE runs SET status = 'PENDING', output = 'null', error = NULL, started_at = NULL, closed_at = NULL,
                      temporal_run_id = NULL, event_count = 0`);
    expect(await readModelText()).not.toEqual(before);
    const { runs } = (await rebuildProjections(pool)) as Rebuilt;
    expect(await readModelText()).toEqual(before);
    expect(await shape()).toEqual(shapeBefore);
    expect(runs).toBeGreaterThan(0);
  }, 60_000);

  it('goes on while the feed writes', async () => {
    await project();
    const ids = await Promise.all(Array.from({ length: 5 }, () => start()));
    await Promise.all([...ids.map((id) => approve(id, 1)), rebuildProjections(pool), sleep(10)]);
    for (const id of ids) await untilStatus(id, 'COMPLETED');
    await stopProjectors();
    const before = await readModelText();
    await rebuildProjections(pool);
    expect(await readModelText()).toEqual(before);
  }, 120_000);
});

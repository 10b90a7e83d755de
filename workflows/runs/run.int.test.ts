import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client, Connection } from '@temporalio/client';
import type pg from 'pg';
import { pino } from 'pino';
import { createPayloadStore } from '../../adapters/postgres/payload-store.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { loadSettings } from '../../config/load.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../../domain/identifiers.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { APPROVE_UPDATE, STATE_QUERY } from '../../domain/runs/messages.ts';
import { connectTemporal, createTemporalClient } from '../../temporal/client.ts';
import { startRunWorkflow } from '../../temporal/start-run-workflow.ts';
import { createTestNamespace } from '../../tests/namespaces.ts';
import {
  createTestDatabase,
  testTemporal,
  type TestDatabase,
  uniqueName,
  testWorkflowBundle,
} from '../../tests/servers.ts';
import { type RunningWorkers, startWorkers } from '../../workers/start-workers.ts';

let database: TestDatabase;
let pool: pg.Pool;
let connection: Connection;
let client: Client;
let workers: RunningWorkers;
let brief: WorkflowDefinition;
let document: string;
const lines: JsonObject[] = [];
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
let large: Awaited<ReturnType<typeof startLargeAnswers>>;

beforeAll(async () => {
  database = await createTestDatabase();
  large = await startLargeAnswers();
  const settings = {
    ...loadSettings({ WEFT_PAYLOAD_MAX_BYTES: '100000', WEFT_HTTP_ALLOWED_HOSTS: large.host }),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
  pool = createPool(database.url, 5);
  connection = await connectTemporal(settings);
  client = createTemporalClient(connection, settings, createPayloadStore(pool));
  workers = await startWorkers({
    settings,
    queues: ['runs', 'content', 'models'],
    workflowBundle: testWorkflowBundle(),
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line) as JsonObject) }),
  });
  brief = JSON.parse(await readFile('samples/workflows/research-brief.json', 'utf8')) as WorkflowDefinition;
  document = await readFile('samples/documents/newton-opticks-queries.txt', 'utf8');
}, 120_000);

afterAll(async () => {
  await workers?.stop();
  await connection?.close();
  await pool?.end();
  await database?.drop();
  await large?.close();
});

/** Answers every request with 99,000 characters, which are more once they are in JSON beside the headers. */
async function startLargeAnswers() {
  const server = createServer((_, response) => response.end('x'.repeat(99_950)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, url: `http://${host}/`, close: () => new Promise((resolve) => server.close(resolve)) };
}

async function start(definition: WorkflowDefinition, input: Json) {
  const id = runId(uniqueName('run'));
  const run = {
    id,
    tenantId: DEFAULT_TENANT,
    workflowId: workflowId(definition.name),
    version: 1,
    definitionHash: definitionHash('0'.repeat(64)),
    input,
  };
  await startRunWorkflow(client, run, definition, { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` });
  await startRunWorkflow(client, run, definition);
  return client.workflow.getHandle(id);
}

describe('the run workflow on a real Temporal server', () => {
  it('interprets the research brief over a whole document', async () => {
    const handle = await start(brief, { title: 'Queries', document });
    const output = (await handle.result()) as { brief: string; facts: JsonObject };
    expect(output.brief).toContain('# Queries');
    expect(output.facts['words']).toBeGreaterThan(5000);
    const history = await handle.fetchHistory();
    const ids = history.events?.map((event) => event.activityTaskScheduledEventAttributes?.activityId).filter(Boolean);
    expect(ids).toEqual(['analyze#1', 'digest#1']);
    const largest = Math.max(...(history.events ?? []).map((event) => JSON.stringify(event).length));
    expect(largest).toBeLessThan(40_000);
  }, 60_000);

  it('logs each activity with its run, node and the trace of the request that started the run', async () => {
    const handle = await start(brief, { title: 'Queries', document });
    await handle.result();
    const ofRun = lines.filter((line) => line['runId'] === handle.workflowId);
    expect(ofRun.map(({ msg, nodeId, traceId, attempt }) => ({ msg, nodeId, traceId, attempt }))).toEqual([
      { msg: 'activity completed', nodeId: 'analyze', traceId: TRACE_ID, attempt: 1 },
      { msg: 'activity completed', nodeId: 'digest', traceId: TRACE_ID, attempt: 1 },
    ]);
  }, 60_000);

  it('keeps runs apart that share the engine in one thread', async () => {
    const definition: WorkflowDefinition = {
      name: 'apart',
      nodes: [
        { id: 'pause', type: 'delay', config: { durationMs: 'input.n * 3' } },
        { id: 'list', type: 'transform', config: { value: 'input.list.map(x, x + input.n)' } },
        {
          id: 'text',
          type: 'template',
          config: { template: '{{#each nodes.list.output}}{{this}},{{/each}}{{input.name}}' },
        },
      ],
      edges: [
        { from: 'pause', to: 'list' },
        { from: 'list', to: 'text' },
      ],
      output: { text: 'nodes.text.output', at: 'timestamp("2026-11-24T00:00:00Z")', n: 'input.n' },
    };
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const results = numbers.map(async (n) => (await start(definition, { n, name: `run ${n}`, list: [n, 1] })).result());
    expect(await Promise.all(results)).toEqual(
      numbers.map((n) => ({ text: `${2 * n},${n + 1},run ${n}`, at: '2026-11-24T00:00:00.000Z', n })),
    );
  }, 30_000);

  it('waits for an approval, refuses wrong answers without a trace and takes the right one once', async () => {
    const definition: WorkflowDefinition = {
      name: 'sign',
      nodes: [
        { id: 'ask', type: 'approval', config: { title: 'Go on?', timeoutMs: 60_000 } },
        { id: 'done', type: 'transform', config: { value: 'nodes.ask.output.decision' } },
      ],
      edges: [{ from: 'ask', port: 'approved', to: 'done' }],
      output: 'nodes.done.output',
    };
    const handle = await start(definition, {});
    const answer = (nodeId: string) =>
      handle.executeUpdate(APPROVE_UPDATE, {
        args: [{ nodeId, decision: 'APPROVED', comment: null, data: null, decidedBy: 'ann' }],
      });
    await expect(answer('done')).rejects.toMatchObject({ cause: { type: 'NOT_WAITING' } });
    await expect(answer('nobody')).rejects.toMatchObject({ cause: { type: 'NOT_FOUND' } });
    const state = await handle.query<JsonObject>(STATE_QUERY);
    expect(state['status']).toBe('WAITING');
    await expect(answer('ask')).resolves.toEqual({ nodeId: 'ask', decision: 'APPROVED' });
    await expect(handle.result()).resolves.toBe('APPROVED');
    const history = await handle.fetchHistory();
    const accepted = history.events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes) ?? [];
    expect(accepted).toHaveLength(1);
  }, 30_000);

  it('fails a run with the code of the node that failed', async () => {
    const definition: WorkflowDefinition = {
      name: 'fails',
      nodes: [{ id: 'call', type: 'http', config: { url: 'http://127.0.0.1:1/' } }],
      edges: [],
    };
    const handle = await start(definition, {});
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'HTTP_ADDRESS_DENIED' } });
  }, 30_000);

  it('fails the node whose result is too large, with the code that says so', async () => {
    const definition: WorkflowDefinition = {
      name: 'large',
      nodes: [{ id: 'call', type: 'http', config: { url: large.url } }],
      edges: [],
    };
    const handle = await start(definition, {});
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'PAYLOAD_TOO_LARGE', message: expect.stringMatching(/^The output of node \w+ has \d+ bytes/) },
    });
  }, 30_000);

  it('is cancelled while it waits', async () => {
    const definition: WorkflowDefinition = {
      name: 'waits',
      nodes: [{ id: 'nap', type: 'delay', config: { durationMs: 3_600_000 } }],
      edges: [],
    };
    const handle = await start(definition, {});
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ message: expect.stringContaining('cancelled') });
    expect((await handle.describe()).status.name).toBe('CANCELLED');
  }, 30_000);
});

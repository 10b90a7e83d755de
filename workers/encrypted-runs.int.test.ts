import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { pino } from 'pino';
import { collectPayloads } from '../adapters/postgres/collect-payloads.ts';
import { openDatabase } from '../adapters/postgres/open-database.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { loadSettings } from '../config/load.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import type { Json } from '../domain/json.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { APPROVE_UPDATE } from '../domain/runs/messages.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { heldPayloads, referencesIn } from '../temporal/held-payloads.ts';
import { createHistoryDecoder } from '../temporal/history-payloads.ts';
import { historyToEvents } from '../temporal/history-to-events.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { createTestNamespace } from '../tests/namespaces.ts';
import {
  createTestDatabase,
  type TestDatabase,
  testTemporal,
  uniqueName,
  testWorkflowBundle,
} from '../tests/servers.ts';
import { startWorkers } from './start-workers.ts';

const K1 = `k1:${randomBytes(32).toString('base64')}`;
const K2 = `k2:${randomBytes(32).toString('base64')}`;
const { History } = proto.temporal.api.history.v1;

const asks: WorkflowDefinition = {
  name: 'asks',
  description: 'needle in the description',
  nodes: [
    { id: 'text', type: 'template', config: { template: 'needle {{input.word}}' } },
    { id: 'ask', type: 'approval', config: { title: 'Go on?' } },
    { id: 'digest', type: 'content.analyze', config: { text: 'input.word' } },
  ],
  edges: [
    { from: 'text', to: 'ask' },
    { from: 'ask', port: 'approved', to: 'digest' },
  ],
  output: { text: 'nodes.text.output', answer: 'nodes.ask.output' },
};
const fails: WorkflowDefinition = {
  name: 'fails',
  nodes: [{ id: 'call', type: 'http', config: { url: 'http://127.0.0.1:9/needle' } }],
  edges: [],
};

let database: TestDatabase;
let namespace: string;
let connection: Connection;
let code: string;
const open = new Set<() => Promise<void>>();

beforeAll(async () => {
  [database, namespace, code] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    readFile(testWorkflowBundle().codePath, 'utf8'),
  ]);
  connection = await connectTemporal(settingsWith());
}, 120_000);

afterEach(async () => {
  await Promise.all([...open].map((stop) => stop()));
}, 60_000);

afterAll(async () => {
  await connection?.close();
  await database?.drop();
}, 60_000);

function settingsWith(...keys: string[]) {
  return {
    ...loadSettings({ WEFT_ENCRYPTION_KEYS: keys.join(',') }),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: namespace,
  };
}

/** Client, decoder and workers with these keys. */
async function startWith(...keys: string[]) {
  const settings = settingsWith(...keys);
  const pool = openDatabase(settings);
  const store = createPayloadStore(pool);
  const workers = await startWorkers({
    settings,
    queues: ['runs', 'content'],
    workflowBundle: { code },
    log: pino({ level: 'silent' }),
  });
  const stop = async () => {
    open.delete(stop);
    await workers.stop();
    await pool.end();
  };
  open.add(stop);
  return {
    pool,
    client: createTemporalClient(connection, settings, store),
    decode: createHistoryDecoder(settings, store),
    stop,
  };
}

type Started = Awaited<ReturnType<typeof startWith>>;

async function start({ client }: Started, definition: WorkflowDefinition, input: Json) {
  const id = runId(uniqueName('run'));
  const run = {
    id,
    tenantId: DEFAULT_TENANT,
    workflowId: workflowId(definition.name),
    version: 1,
    definitionHash: definitionHash('0'.repeat(64)),
    input,
  };
  await startRunWorkflow(client, run, definition, {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  return client.workflow.getHandle(id);
}

/** As it lies on the server. */
async function rawHistory(workflowIdOfRun: string) {
  const { history } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId: workflowIdOfRun },
  });
  const bytes = Buffer.from(History.encode(history ?? {}).finish());
  return { events: history?.events ?? [], bytes };
}

const approve = { nodeId: 'ask', decision: 'APPROVED', comment: 'needle', data: null, decidedBy: 'me' };
const word = `needle ${'thread '.repeat(5_000)}`;

describe('runs with an encryption key', () => {
  it('leave nothing readable with Temporal but names, ids and search attributes, and go on after a rotation', async () => {
    const first = await startWith(K1);
    const handle = await start(first, asks, { word });
    await expect(
      first.client.workflow.getHandle(handle.workflowId).executeUpdate(APPROVE_UPDATE, { args: [{}] }),
    ).rejects.toThrow();
    await first.stop();

    const second = await startWith(K2, K1);
    const same = second.client.workflow.getHandle(handle.workflowId);
    await same.executeUpdate(APPROVE_UPDATE, { args: [approve] });
    expect(await same.result()).toMatchObject({ text: expect.stringContaining('needle needle thread') });

    const { events, bytes } = await rawHistory(handle.workflowId);
    for (const text of ['needle', 'thread thread', 'weftDefinition', 'Go on?']) {
      expect([text, bytes.includes(text)]).toEqual([text, false]);
    }
    expect(bytes.includes('binary/encrypted')).toBe(true);
    expect(bytes.includes('"RUNNING"')).toBe(true);
    const stored = await historyToEvents(events, new Map(), second.decode);
    expect(stored.find(({ type }) => type === 'run.started')?.payload).toMatchObject({ input: { word } });
    expect(stored.find(({ type }) => type === 'approval.decided')?.payload).toMatchObject({ comment: 'needle' });
  }, 90_000);

  it('encode messages of failures, which the feed reads all the same', async () => {
    const parts = await startWith(K1);
    const handle = await start(parts, fails, {});
    await expect(handle.result()).rejects.toMatchObject({
      cause: { type: 'HTTP_ADDRESS_DENIED', message: expect.stringContaining('is private') },
    });
    const { events, bytes } = await rawHistory(handle.workflowId);
    expect(bytes.includes('is private')).toBe(false);
    expect(bytes.includes('Encoded failure')).toBe(true);
    const stored = await historyToEvents(events, new Map(), parts.decode);
    for (const type of ['node.failed', 'run.failed']) {
      expect(stored.find((event) => event.type === type)?.payload).toMatchObject({
        error: { code: 'HTTP_ADDRESS_DENIED', message: expect.stringContaining('is private') },
      });
    }
  }, 90_000);

  it('started without one go on with one', async () => {
    const plain = await startWith();
    const handle = await start(plain, asks, { word });
    await expect(handle.executeUpdate(APPROVE_UPDATE, { args: [{}] })).rejects.toThrow();
    await plain.stop();
    const parts = await startWith(K1);
    const same = parts.client.workflow.getHandle(handle.workflowId);
    await same.executeUpdate(APPROVE_UPDATE, { args: [approve] });
    expect(await same.result()).toMatchObject({ text: expect.stringContaining('needle') });
  }, 90_000);

  it('keep what their open histories stand for, without the key to read them', async () => {
    const parts = await startWith(K1);
    const handle = await start(parts, asks, { word });
    await expect(handle.executeUpdate(APPROVE_UPDATE, { args: [{}] })).rejects.toThrow();
    const { pool } = parts;
    const options = { namespace, startedBefore: new Date(Date.now() + 60_000), signal: new AbortController().signal };
    const visible = async () => {
      const found = new Set<string>();
      for await (const hash of heldPayloads(connection, { ...options, requestsASecond: 1_000 })) found.add(hash);
      return found;
    };
    // Visibility follows history after a moment.
    const { events } = await rawHistory(handle.workflowId);
    const expected = [...referencesIn(events)];
    expect(expected.length).toBeGreaterThanOrEqual(2);
    for (;;) {
      const found = await visible();
      if (expected.every((hash) => found.has(hash))) break;
    }
    const collect = () =>
      collectPayloads(pool, {
        graceMs: 0,
        retentionMs: null,
        dryRun: false,
        held: heldPayloads(connection, { ...options, requestsASecond: 1_000 }),
      });
    await collect();
    await collect();
    const kept = await createPayloadStore(pool).get(expected);
    expect(kept.size).toBe(new Set(expected).size);
    await handle.terminate();
  }, 90_000);
});

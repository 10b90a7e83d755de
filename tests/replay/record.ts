import { mkdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { createPayloadStore } from '../../adapters/postgres/payload-store.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { loadSettings } from '../../config/load.ts';
import { DEFAULT_TENANT, definitionHash, type PayloadHash, runId, workflowId } from '../../domain/identifiers.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { INTERPRETER_VERSION } from '../../domain/runs/messages.ts';
import { connectTemporal, createTemporalClient } from '../../temporal/client.ts';
import { startRunWorkflow } from '../../temporal/start-run-workflow.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';
import { startWorkers } from '../../workers/start-workers.ts';
import { createTestNamespace } from '../namespaces.ts';
import { createTestDatabase, testTemporal } from '../servers.ts';
import startServers from '../start-servers.ts';
import stopServers from '../stop-servers.ts';
import { answerCalls } from './answer-calls.ts';
import { casesOfVersion1, type ReplayCase } from './cases.ts';
import { corpusFolder, historyToJson, type Recording } from './corpus.ts';

/** Temporal's state of an activity that a worker has taken. */
const STARTED = 2;

/** Runs every case with the code as it is and writes what Temporal kept of it. */
async function record(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const calls = await answerCalls();
  await startServers();
  const database = await createTestDatabase();
  const settings = {
    ...loadSettings({ WEFT_HTTP_ALLOWED_HOSTS: calls.host }),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
  const pool = createPool(database.url, 5);
  const store = createPayloadStore(pool);
  const connection = await connectTemporal(settings);
  const client = createTemporalClient(connection, settings, store);
  const workers = await startWorkers({
    settings,
    queues: ['runs', 'content', 'models'],
    workflowBundle: { code: await bundleWorkflows(new DefaultLogger('ERROR')) },
    log: pino({ level: 'silent' }),
  });
  const folder = corpusFolder(INTERPRETER_VERSION);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await Promise.all(
      casesOfVersion1(`http://${calls.host}`).map(async (one) => {
        const recording = await runCase(client, store, one);
        await writeFile(`${folder}/${one.name}.json`, `${JSON.stringify(recording)}\n`);
        process.stdout.write(
          `${one.name}: ${recording.links.map((link) => (link['events'] as []).length).join(' + ')}\n`,
        );
      }),
    );
  } finally {
    await workers.stop();
    await connection.close();
    await pool.end();
    await database.drop();
    await stopServers();
    await calls.close();
  }
}

async function runCase(client: Client, store: PayloadStore, one: ReplayCase): Promise<Recording> {
  const { definition } = one;
  const id = runId(`replay-${one.name}`);
  const run = {
    id,
    tenantId: DEFAULT_TENANT,
    workflowId: workflowId(definition.name),
    version: 1,
    definitionHash: definitionHash('0'.repeat(64)),
    input: one.input ?? null,
  };
  await startRunWorkflow(client, run, definition);
  const handle = client.workflow.getHandle(id);
  const first = (await handle.describe()).runId;
  await one.drive?.(handle, (nodeId) => reached(handle, nodeId));
  await handle.result().catch(() => undefined);
  const links = await readLinks(client, id, first);
  return { workflowId: id, links, payloads: await payloadsOf(links, store) };
}

/** Until the activity of a node has begun, and what is due beside it has been commanded. */
async function reached(handle: WorkflowHandle, nodeId: string): Promise<void> {
  for (;;) {
    const { raw } = await handle.describe();
    if (raw.pendingActivities?.some((one) => one.activityId === `${nodeId}#1` && Number(one.state) === STARTED))
      return sleep(200);
    await sleep(50);
  }
}

async function readLinks(client: Client, id: string, first: string): Promise<Recording['links']> {
  const links: Recording['links'] = [];
  for (let next: string | null = first; next !== null;) {
    const history = await client.workflow.getHandle(id, next).fetchHistory();
    links.push(historyToJson(history));
    const last = history.events?.at(-1);
    next = last?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? null;
  }
  return links;
}

async function payloadsOf(links: Recording['links'], store: PayloadStore): Promise<Recording['payloads']> {
  const references = JSON.stringify(links).matchAll(/"weft-reference":"([^"]+)"/g);
  const hashes = [...references].map(([, hash = '']) => Buffer.from(hash, 'base64').toString() as PayloadHash);
  const stored = await store.get([...new Set(hashes)]);
  return Object.fromEntries([...stored].map(([hash, bytes]) => [hash, new TextDecoder().decode(bytes)]));
}

await record();

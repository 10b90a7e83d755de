import { mkdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type pg from 'pg';
import { pino } from 'pino';
import { publishDefinition } from '../../adapters/postgres/definition-store.ts';
import { createPayloadStore } from '../../adapters/postgres/payload-store.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { insertRun } from '../../adapters/postgres/run-store.ts';
import { loadSettings } from '../../config/load.ts';
import { DEFAULT_TENANT, definitionHash, type PayloadHash, runId, workflowId } from '../../domain/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';
import { INTERPRETER_VERSION } from '../../domain/runs/messages.ts';
import { contentHash } from '../../temporal/content-hash.ts';
import { connectTemporal, createTemporalClient } from '../../temporal/client.ts';
import { startRunWorkflow } from '../../temporal/start-run-workflow.ts';
import { bundleWorkflows } from '../../workers/bundle.ts';
import { startWorkers } from '../../workers/start-workers.ts';
import { createTestNamespace } from '../namespaces.ts';
import { createTestDatabase, testTemporal } from '../servers.ts';
import startServers from '../start-servers.ts';
import stopServers from '../stop-servers.ts';
import { answerCalls } from './answer-calls.ts';
import { casesOfVersion2, childDefinition } from './cases-of-version-2.ts';
import { casesOfVersion1, type ReplayCase } from './cases.ts';
import { corpusFolder, historyToJson, type Recording } from './corpus.ts';

/** Temporal's state of an activity that a worker has taken. */
const STARTED = 2;

/** Runs every case, or those that are named, with the code as it is and writes what Temporal kept of it. */
async function record(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const calls = await answerCalls();
  await startServers();
  const database = await createTestDatabase();
  const settings = {
    ...loadSettings({ WEFT_HTTP_ALLOWED_HOSTS: calls.host, WEFT_SECRET_KEY: '0'.repeat(64) }),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
  const pool = createPool(database.url, 5);
  const connection = await connectTemporal(settings);
  const client = createTemporalClient(connection, settings, createPayloadStore(pool));
  const workers = await startWorkers({
    settings,
    queues: ['runs', 'content', 'models'],
    workflowBundle: { code: await bundleWorkflows(new DefaultLogger('ERROR')) },
    log: pino({ level: 'silent' }),
  });
  const base = `http://${calls.host}`;
  const child = childDefinition(base);
  const hash = definitionHash(contentHash(canonicalJson(child)));
  await publishDefinition(pool, { tenantId: DEFAULT_TENANT, hash, definition: child });
  const named = process.argv.slice(2);
  const cases = [...casesOfVersion1(base), ...casesOfVersion2(base)]
    .filter(({ name }) => named.length === 0 || named.includes(name))
    .map((one) => pinned(one, hash));
  const folder = corpusFolder(INTERPRETER_VERSION);
  if (named.length === 0) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await Promise.all(
      cases.map(async (one) => {
        const recording = await runCase(client, pool, one);
        if (JSON.stringify(one.definition).includes(hash)) recording.definitions = { [hash]: child };
        await writeFile(`${folder}/${one.name}.json`, `${JSON.stringify(recording)}\n`);
        process.stdout.write(
          `${one.name}: ${recording.links.map((link) => (link.history['events'] as []).length).join(' + ')}\n`,
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

async function runCase(client: Client, pool: pg.Pool, one: ReplayCase): Promise<Recording> {
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
  await insertRun(pool, { ...run, idempotencyKey: null, createdAt: new Date() });
  await startRunWorkflow(client, run, definition);
  const handle = client.workflow.getHandle(id);
  const first = (await handle.describe()).runId;
  await one
    .drive?.(handle, (nodeId) => reached(handle, nodeId))
    .catch((error: unknown) => {
      process.stderr.write(`${one.name}: ${String(error)} ${String((error as Error).cause)}\n`);
    });
  await handle.result().catch((error: Error) => process.stdout.write(`${one.name}: ${String(error.cause)}\n`));
  const links = await readLinks(client, id, first);
  for (const child of childrenOf(links)) links.push(...(await readLinks(client, child.id, child.first)));
  return { workflowId: id, links, payloads: await payloadsOf(links, createPayloadStore(pool)) };
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

/** The first child run that a run has started, which stands for its siblings. */
function childrenOf(links: Recording['links']): { id: string; first: string }[] {
  const events = links.flatMap((link) => link.history['events'] as JsonObject[]);
  const started = events.flatMap((event) => {
    const child = event['childWorkflowExecutionStartedEventAttributes'];
    return isJsonObject(child) ? [child['workflowExecution'] as { workflowId: string; runId: string }] : [];
  });
  const [execution] = started;
  return execution ? [{ id: execution.workflowId, first: execution.runId }] : [];
}

/** Subworkflow nodes know the version that they run, as after publishing. */
function pinned(one: ReplayCase, hash: string): ReplayCase {
  const nodes = one.definition.nodes.map((node) =>
    node.type === 'subworkflow' || node.type === 'agent'
      ? { ...node, config: { ...node.config, version: 1, hash } }
      : node,
  );
  return { ...one, definition: { ...one.definition, nodes } };
}

async function readLinks(client: Client, id: string, first: string): Promise<Recording['links']> {
  const links: Recording['links'] = [];
  for (let next: string | null = first; next !== null;) {
    const history = await client.workflow.getHandle(id, next).fetchHistory();
    links.push({ workflowId: id, history: historyToJson(history) });
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

import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createHintBatcher } from '../adapters/postgres/run-hints.ts';
import { DEFAULT_TENANT, definitionHash, runId, workflowId } from '../domain/identifiers.ts';
import type { Json } from '../domain/json.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import { connectTemporal, connectionOptions, createTemporalClient } from '../temporal/client.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { bundleWorkflows } from '../workers/bundle.ts';
import { createPoolWorker } from '../workers/create-pool-worker.ts';
import type { BenchServers } from './servers.ts';

const BY_HAND_QUEUE = 'by-hand';

export type Measured = { wallMs: number; events: number; activityEvents: number };

export type Contestants = {
  interpreted: (definition: WorkflowDefinition, input: Json) => Promise<Measured>;
  byHand: (workflow: string, args: unknown[]) => Promise<Measured>;
};

type Activities = Readonly<Record<string, (input: never) => Promise<unknown>>>;

/** Runs what is measured with a worker for definitions and one for workflows written by hand, both over the same activities. */
export async function withContestants<Result>(
  { settings }: BenchServers,
  activities: Activities,
  use: (contestants: Contestants) => Promise<Result>,
): Promise<Result> {
  const pool = createPool(settings.DATABASE_URL, settings.CONNECTION_POOL_SIZE);
  const store = createPayloadStore(pool);
  const hints = createHintBatcher(pool, { onError: (error) => process.stderr.write(`${String(error)}\n`) });
  const native = await NativeConnection.connect(connectionOptions(settings));
  const connection = await connectTemporal(settings);
  const namespace = settings.TEMPORAL_NAMESPACE;
  const [runsPool] = loadPools(settings);
  if (runsPool === undefined) return Promise.reject(new TypeError('no pool'));
  const workers = await Promise.all([
    createPoolWorker({
      pool: runsPool,
      connection: native,
      namespace,
      dataConverter: createDataConverter(settings, store),
      activities,
      workflowBundle: { code: await bundleWorkflows(new DefaultLogger('ERROR')) },
      hint: hints.hint,
      slots: { maxConcurrentActivityTaskExecutions: settings.WEFT_QUEUE_RUNS_CONCURRENCY },
      cache: {},
      graceMs: 0,
      maxResultBytes: settings.WEFT_PAYLOAD_MAX_BYTES,
      log: pino({ level: 'silent' }),
    }),
    Worker.create({
      connection: native,
      namespace,
      taskQueue: BY_HAND_QUEUE,
      activities,
      workflowBundle: await bundleWorkflowCode({
        workflowsPath: fileURLToPath(import.meta.resolve('./workflows.ts')),
        logger: new DefaultLogger('ERROR'),
      }),
    }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  try {
    const plain = new Client({ connection, namespace });
    const ours = createTemporalClient(connection, settings, store);
    return await use({ interpreted: interpretedBy(ours), byHand: writtenByHand(plain) });
  } finally {
    for (const worker of workers) worker.shutdown();
    await running;
    await hints.close();
    await connection.close();
    await native.close();
    await pool.end();
  }
}

let started = 0;

function interpretedBy(client: Client): Contestants['interpreted'] {
  return async (definition, input) => {
    const id = runId(`bench-${(started += 1)}`);
    const begun = performance.now();
    await startRunWorkflow(
      client,
      {
        id,
        tenantId: DEFAULT_TENANT,
        workflowId: workflowId(definition.name),
        version: 1,
        definitionHash: definitionHash(''),
        input,
      },
      definition,
    );
    return finish(client, id, begun);
  };
}

function writtenByHand(client: Client): Contestants['byHand'] {
  return async (workflow, args) => {
    const id = `bench-${(started += 1)}`;
    const begun = performance.now();
    await client.workflow.start(workflow, { workflowId: id, taskQueue: BY_HAND_QUEUE, args });
    return finish(client, id, begun);
  };
}

async function finish(client: Client, id: string, begun: number): Promise<Measured> {
  const handle = client.workflow.getHandle(id);
  await handle.result();
  const wallMs = performance.now() - begun;
  const events = (await handle.fetchHistory()).events ?? [];
  const activityEvents = events.filter((event) => event.activityTaskScheduledEventAttributes).length;
  return { wallMs, events: events.length, activityEvents };
}

/** Pairs of runs, one side first and then the other, so that a noise that lasts hits both. */
export async function inTurn(
  runs: number,
  left: () => Promise<Measured>,
  right: () => Promise<Measured>,
): Promise<[Measured, Measured][]> {
  const pairs: [Measured, Measured][] = [];
  for (let index = 0; index < runs; index += 1) {
    const first = index % 2 === 0 ? await left() : null;
    const other = await right();
    pairs.push([first ?? (await left()), other]);
  }
  return pairs;
}

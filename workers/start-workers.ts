import { Client } from '@temporalio/client';
import { NativeConnection, type Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { readDefinitionByHash } from '../adapters/postgres/definition-store.ts';
import { createEventRecorder } from '../adapters/postgres/event-recorder.ts';
import { createEffectStore } from '../adapters/postgres/effect-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { openDatabase } from '../adapters/postgres/open-database.ts';
import { createHintBatcher } from '../adapters/postgres/run-hints.ts';
import type { Settings } from '../config/settings.ts';
import { AppError } from '../domain/errors.ts';
import { definitionHash } from '../domain/identifiers.ts';
import type { PoolRow } from '../domain/runs/pools.ts';
import { connectionOptions } from '../temporal/client.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { becomeFirstBuild } from '../temporal/worker-deployment.ts';
import { tenantNamespaces } from '../temporal/tenant-namespaces.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { createQueueWatch, type QueueWatch } from '../temporal/queue-watch.ts';
import { loadCode, registerCode } from './code-workflows.ts';
import { createActivities } from './create-activities.ts';
import { createPoolWorker } from './create-pool-worker.ts';
import { encodeFailureMessages } from './encode-failure-messages.ts';
import { cachedRuns, createTuner } from './create-tuner.ts';
import { activitiesOf } from './pools.ts';
import { openModelLimits } from './model-limits.ts';
import { runDependencies } from './run-dependencies.ts';
import { createToolServers } from './tool-servers.ts';
import { watchModels } from './watch-models.ts';

export type RunningWorkers = {
  /** Takes no further work; what runs may end within the grace, then it is cancelled. */
  drain: () => void;
  /** Activities under way. */
  running: () => number;
  stop: () => Promise<void>;
  queues: QueueWatch;
  /** Settles when all have ended; rejects when some had to be left behind. */
  finished: Promise<void>;
};

export type StartWorkersOptions = {
  settings: Settings & { DATABASE_URL: string };
  /** Those of the table that this process serves. */
  queues: readonly string[];
  /** Fields of their rows that are otherwise here. */
  adjust?: Partial<Pick<PoolRow, 'concurrency' | 'maxPerSecondPerWorker'>>;
  workflowBundle: WorkflowBundleOption;
  log: Logger;
  /** Where calls of models are counted. */
  registry?: Registry;
};

/** One Temporal worker per queue, all in this process, sharing a connection, a Postgres pool and the text threads. */
export async function startWorkers(options: StartWorkersOptions): Promise<RunningWorkers> {
  const { settings, workflowBundle, log } = options;
  const pools = servedPools(options);
  const connection = await NativeConnection.connect(connectionOptions(settings));
  const database = openDatabase(settings);
  const hints = createHintBatcher(database, { onError: (error) => log.warn({ err: error }, 'hints were lost') });
  const payloads = createPayloadStore(database);
  const dataConverter = createDataConverter(settings, payloads, {
    links: settings,
    definitions: async (hash) => (await readDefinitionByHash(database, definitionHash(hash)))?.definition,
  });
  const namespaces = tenantNamespaces(settings).all;
  const clients = new Map(
    namespaces.map((namespace) => [namespace, new Client({ connection, namespace, dataConverter })] as const),
  );
  const models = watchModels(database, settings, log);
  const limits = await openModelLimits(database, settings, { log, registry: options.registry });
  const tools = createToolServers(settings, database);
  const { rooms, close } = createActivities(settings, {
    effects: createEffectStore(database),
    events: createEventRecorder(database),
    runs: runDependencies(database, clients),
    ...models,
    ledger: limits.ledger,
    rules: limits.rules,
    toolServers: tools.servers,
  });
  const bundle = payloads.cipher ? await encodeFailureMessages(workflowBundle) : workflowBundle;
  const slotsOf = createTuner(settings, pools);
  const runsWorkflows = pools.some(({ workflows }) => workflows);
  const code = await loadCode(runsWorkflows ? settings.WEFT_CODE_DIR : null);
  await registerCode(database, code.workflows);
  if (settings.WEFT_WORKER_BUILD_ID !== null && runsWorkflows) {
    for (const client of clients.values()) await becomeFirstBuild(client, settings.WEFT_WORKER_BUILD_ID);
  }
  const workers = await Promise.all(
    namespaces
      .flatMap((namespace) => pools.map((pool) => ({ namespace, pool })))
      .map(({ namespace, pool }) =>
        createPoolWorker({
          pool,
          connection,
          namespace,
          dataConverter,
          activities: { ...activitiesOf(pool, rooms), ...(pool.workflows ? code.activities : {}) },
          workflowBundle: bundle,
          slots: slotsOf(pool),
          cache: cachedRuns(settings.WEFT_WORKER_CACHED_RUNS, pool.memoryMb),
          graceMs: settings.WEFT_WORKER_GRACE_MS,
          buildId: settings.WEFT_WORKER_BUILD_ID,
          hint: hints.hint,
          maxResultBytes: settings.WEFT_PAYLOAD_MAX_BYTES,
          log,
        }),
      ),
  );
  const drain = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const finished = runAll(workers, drain, async () => {
    await hints.close();
    await close();
    await models.tokens.close();
    await limits.close();
    await tools.close();
    await connection.close();
    await database.end();
  });
  return {
    drain,
    queues: createQueueWatch(connection, settings.TEMPORAL_NAMESPACE),
    running: () => workers.reduce((sum, worker) => sum + worker.getStatus().numInFlightActivities, 0),
    finished,
    stop: async () => {
      drain();
      await finished;
    },
  };
}

/** @throws AppError INPUT_INVALID for a queue that is not in the table */
function servedPools({ settings, queues, adjust = {} }: StartWorkersOptions): PoolRow[] {
  const table = loadPools(settings);
  return [...new Set(queues)].map((name) => {
    const pool = table.find(({ queue }) => queue === name);
    if (pool) return { ...pool, ...adjust };
    const known = table.map(({ queue }) => queue).join(', ');
    throw new AppError('INPUT_INVALID', { detail: `no worker pool has queue ${name}; known are ${known}` });
  });
}

/** One that fails takes the others along, in order. */
async function runAll(workers: readonly Worker[], drain: () => void, close: () => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(
    workers.map((worker) =>
      worker.run().catch((error: unknown) => {
        drain();
        throw error;
      }),
    ),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return close();
  // The connection cannot be closed under a worker that was left hanging; why it was says more.
  await close().catch(() => undefined);
  throw failed.reason;
}

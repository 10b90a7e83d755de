import { NativeConnection, type Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { createHintBatcher } from '../adapters/postgres/run-hints.ts';
import type { Settings } from '../config/settings.ts';
import type { TaskQueue } from '../domain/runs/queues.ts';
import { connectionOptions } from '../temporal/client.ts';
import { createDataConverter } from '../temporal/data-converter.ts';
import { createActivities } from './create-activities.ts';
import { createPoolWorker } from './create-pool-worker.ts';
import { workerPools } from './pools.ts';

export type RunningWorkers = { stop: () => Promise<void>; finished: Promise<void> };

export type StartWorkersOptions = {
  settings: Settings & { DATABASE_URL: string };
  queues: readonly TaskQueue[];
  workflowBundle: WorkflowBundleOption;
  log: Logger;
};

/** One Temporal worker per queue, all in this process, sharing a connection, a Postgres pool and the text threads. */
export async function startWorkers({
  settings,
  queues,
  workflowBundle,
  log,
}: StartWorkersOptions): Promise<RunningWorkers> {
  const connection = await NativeConnection.connect(connectionOptions(settings));
  const pool = createPool(settings.DATABASE_URL, settings.CONNECTION_POOL_SIZE);
  const hints = createHintBatcher(pool, { onError: (error) => log.warn({ err: error }, 'hints were lost') });
  const { rooms, close } = createActivities(settings);
  const dataConverter = createDataConverter(settings, createPayloadStore(pool));
  const workers = await Promise.all(
    workerPools(settings)
      .filter(({ queue }) => queues.includes(queue))
      .map((workerPool) =>
        createPoolWorker({
          pool: workerPool,
          connection,
          namespace: settings.TEMPORAL_NAMESPACE,
          dataConverter,
          activities: Object.assign({}, ...workerPool.rooms.map((room) => rooms[room])) as object,
          workflowBundle,
          hint: hints.hint,
          maxResultBytes: settings.WEFT_PAYLOAD_MAX_BYTES,
          log,
        }),
      ),
  );
  const finished = runAll(workers, async () => {
    await hints.close();
    await close();
    await connection.close();
    await pool.end();
  });
  return {
    finished,
    stop: async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await finished;
    },
  };
}

async function runAll(workers: readonly Worker[], close: () => Promise<void>): Promise<void> {
  try {
    await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    await close();
  }
}

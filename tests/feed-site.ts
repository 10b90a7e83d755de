import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { publishDefinition } from '../adapters/postgres/definition-store.ts';
import { readRunEvents, type RunStoredEvent } from '../adapters/postgres/event-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { createPool } from '../adapters/postgres/pool.ts';
import { insertRun, readRun } from '../adapters/postgres/run-store.ts';
import { loadSettings } from '../config/load.ts';
import { DEFAULT_TENANT, definitionHash, runId, type RunId, type TenantId } from '../domain/identifiers.ts';
import { canonicalJson } from '../domain/runs/canonical-json.ts';
import type { WorkflowDefinition } from '../domain/runs/definition.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { contentHash } from '../temporal/content-hash.ts';
import { createHistoryDecoder } from '../temporal/history-payloads.ts';
import { sharedNamespace } from '../temporal/tenant-namespaces.ts';
import { startProjector, type Projector, type ProjectorOptions } from '../workers/projector.ts';
import { createProjectorMetrics } from '../workers/projector-metrics.ts';
import { createTestNamespace } from './namespaces.ts';
import { createTestDatabase, testTemporal, uniqueName } from './servers.ts';

type Pool = ReturnType<typeof createPool>;
export type FeedSite = Awaited<ReturnType<typeof openFeedSite>>;

/** A database, a namespace and projectors in this process, for tests of what the feed makes of histories. */
export async function openFeedSite() {
  const database = await createTestDatabase();
  const settings = {
    ...loadSettings({}),
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporal().address,
    TEMPORAL_NAMESPACE: await createTestNamespace(),
  };
  const pool = createPool(database.url, 10);
  const payloads = createPayloadStore(pool);
  const connection = await connectTemporal(settings);
  const native = await NativeConnection.connect({ address: settings.TEMPORAL_ADDRESS });
  const client = createTemporalClient(connection, settings, payloads);
  const projectors: Projector[] = [];
  const stopProjectors = async () => {
    await Promise.all(projectors.splice(0).map((projector) => projector.stop()));
  };
  return {
    ...{ settings, pool, connection, native, client, payloads },
    /** Gives its metrics. */
    async project(options: Partial<ProjectorOptions> = {}): Promise<Registry> {
      const registry = new Registry();
      projectors.push(
        await startProjector({
          databaseUrl: database.url,
          pool,
          connection,
          namespaces: sharedNamespace(settings.TEMPORAL_NAMESPACE),
          workflowQueues: ['runs'],
          decode: createHistoryDecoder(settings, payloads),
          startRun: () => Promise.reject(new Error('no run was to be started')),
          cancelRun: () => Promise.resolve(),
          reconcileIntervalMs: 1_000,
          metrics: createProjectorMetrics(registry),
          log: pino({ level: 'silent' }),
          ...options,
        }),
      );
      return registry;
    },
    stopProjectors,
    /** Works on queue `runs` with the given workflows until `work` is done. */
    async whileWorking(options: Partial<WorkerOptions>, work: () => Promise<void>): Promise<void> {
      const worker = await Worker.create({
        connection: native,
        namespace: settings.TEMPORAL_NAMESPACE,
        taskQueue: 'runs',
        ...options,
      });
      await worker.runUntil(work);
    },
    /** The row of a run, and nothing in Temporal. */
    async insert(
      definition: WorkflowDefinition,
      { createdAt = new Date(), tenantId = DEFAULT_TENANT }: { createdAt?: Date; tenantId?: TenantId } = {},
    ): Promise<RunRecord> {
      const hash = definitionHash(contentHash(canonicalJson(definition)));
      const { workflowId, version } = await publishDefinition(pool, { tenantId, hash, definition });
      const { run } = await insertRun(pool, {
        ...{ id: runId(uniqueName('run')), tenantId, workflowId, version, definitionHash: hash, input: null },
        ...{ idempotencyKey: null, createdAt },
      });
      return run;
    },
    events: (id: string): Promise<RunStoredEvent[]> => readRunEvents(pool, id, { first: 100_000 }),
    until(id: RunId, status: RunRecord['status'], tenant = DEFAULT_TENANT): Promise<RunRecord> {
      return untilStatus(pool, tenant, id, status);
    },
    async close(): Promise<void> {
      await stopProjectors();
      await native.close();
      await connection.close();
      await pool.end();
      await database.drop();
    },
  };
}

async function untilStatus(pool: Pool, tenant: TenantId, id: RunId, status: RunRecord['status']): Promise<RunRecord> {
  for (const deadline = Date.now() + 40_000; ; await sleep(50)) {
    const run = await readRun(pool, tenant, id);
    if (run?.status === status) return run;
    if (Date.now() > deadline) throw new Error(`${id} is ${run?.status ?? 'unknown'}, not ${status}`);
  }
}

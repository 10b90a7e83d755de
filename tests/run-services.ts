import type { Connection } from '@temporalio/client';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { hintRuns } from '../adapters/postgres/run-hints.ts';
import type { TaskQueue } from '../domain/runs/queues.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { createTenantClients } from '../temporal/tenant-clients.ts';
import { tenantNamespaces } from '../temporal/tenant-namespaces.ts';
import { createHistoryDecoder } from '../temporal/history-payloads.ts';
import { cancelRunWorkflow } from '../temporal/run-commands.ts';
import { testWorkflowBundle } from './servers.ts';
import { createDispatcherMetrics } from '../workers/dispatcher-metrics.ts';
import { startProjector } from '../workers/projector.ts';
import { createProjectorMetrics } from '../workers/projector-metrics.ts';
import { startRunDispatcher } from '../workers/run-dispatcher.ts';
import { startStoredRun } from '../workers/start-stored-run.ts';
import { startWorkers } from '../workers/start-workers.ts';
import type { Doors } from './doors.ts';

/** What runs behind the doors: a worker, a projector and a dispatcher, in this process. */
export async function startRunServices(
  doors: Doors,
  queues: TaskQueue[] = ['runs'],
): Promise<{ metrics: () => Promise<string>; stop: () => Promise<void> }> {
  const { settings, pool, temporal } = doors;
  const log = pino({ level: 'silent' });
  const workers = await startWorkers({
    settings,
    queues,
    workflowBundle: testWorkflowBundle(),
    log,
  });
  const registry = new Registry();
  const tenantWeights = settings.WEFT_TENANT_WEIGHTS ?? {};
  const connection = temporal.connection as Connection;
  const clientOf = createTenantClients(connection, settings, createPayloadStore(pool));
  const startRun = (run: RunRecord) => startStoredRun({ pool, clientOf, tenantWeights }, run);
  const shared = { databaseUrl: settings.DATABASE_URL, pool, startRun, log };
  const projector = await startProjector({
    ...shared,
    cancelRun: ({ runId, tenantId }, reason) => cancelRunWorkflow(clientOf(tenantId), runId, reason),
    connection: temporal.connection as never,
    namespaces: tenantNamespaces(settings),
    workflowQueues: ['runs'],
    decode: createHistoryDecoder(settings, createPayloadStore(pool)),
    reconcileIntervalMs: 1_000,
    metrics: createProjectorMetrics(registry),
  });
  const dispatcher = startRunDispatcher({
    ...shared,
    tenantWeights,
    metrics: createDispatcherMetrics(registry, pool),
    cancelRun: async (run, reason) => {
      await startRun(run);
      await cancelRunWorkflow(clientOf(run.tenantId), run.id, reason);
    },
    hint: (runId) => void hintRuns(pool, [runId]),
  });
  return {
    metrics: () => registry.metrics(),
    async stop() {
      await dispatcher.stop();
      await projector.stop();
      await workers.stop();
    },
  };
}

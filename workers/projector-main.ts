import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { openDatabase } from '../adapters/postgres/open-database.ts';
import { ALL_PROJECTIONS } from '../adapters/postgres/projections/all-projections.ts';
import { createHintBatcher } from '../adapters/postgres/run-hints.ts';
import { openRedisEventStream } from '../adapters/redis/redis-event-stream.ts';
import { loadSettings } from '../config/load.ts';
import { AppError } from '../domain/errors.ts';
import type { RunRecord } from '../domain/runs/run-record.ts';
import { connectTemporal } from '../temporal/client.ts';
import { createHistoryDecoder } from '../temporal/history-payloads.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { cancelRunWorkflow } from '../temporal/run-commands.ts';
import { createTenantClients } from '../temporal/tenant-clients.ts';
import { tenantNamespaces } from '../temporal/tenant-namespaces.ts';
import { createDispatcherMetrics } from './dispatcher-metrics.ts';
import { startEventOutbox } from './event-outbox.ts';
import { startEventKeeper } from './event-keeper.ts';
import { startMetricsServer } from './metrics-server.ts';
import { startPayloadCollector } from './payload-collector.ts';
import { registerProjectionMetrics } from './projection-metrics.ts';
import { startProjectionRunner } from './projection-runner.ts';
import { startProjector } from './projector.ts';
import { createProjectorMetrics } from './projector-metrics.ts';
import { startRunDispatcher } from './run-dispatcher.ts';
import { createSnapshotWriter } from './snapshot-writer.ts';
import { startStoredRun } from './start-stored-run.ts';

const HOUR_MS = 3_600_000;

const settings = loadSettings();
const log = pino({ name: 'projector', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const { DATABASE_URL: databaseUrl } = settings;
if (databaseUrl === null) throw new AppError('DATABASE_UNAVAILABLE', { detail: 'DATABASE_URL is not set' });

const pool = openDatabase({ ...settings, DATABASE_URL: databaseUrl });
const payloads = createPayloadStore(pool);
const connection = await connectTemporal(settings);
const clientOf = createTenantClients(connection, settings, payloads);
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const metricsServer = await startMetricsServer(registry, { host: settings.WEFT_HOST, port: settings.METRICS_PORT });
const tenantWeights = settings.WEFT_TENANT_WEIGHTS ?? {};
const startRun = (run: RunRecord) => startStoredRun({ pool, clientOf, tenantWeights }, run);
const snapshots = createSnapshotWriter(pool, {
  policy: {
    events: settings.WEFT_SNAPSHOT_EVENTS,
    bytes: settings.WEFT_SNAPSHOT_KB * 1_024,
    ageMs: settings.WEFT_SNAPSHOT_HOURS * HOUR_MS,
  },
  retention: { keep: settings.WEFT_SNAPSHOT_KEEP, maxAgeMs: settings.WEFT_SNAPSHOT_DAYS * 24 * HOUR_MS },
  log,
});
const projector = await startProjector({
  databaseUrl,
  pool,
  connection,
  namespaces: tenantNamespaces(settings),
  workflowQueues: loadPools(settings).flatMap(({ queue, workflows }) => (workflows ? [queue] : [])),
  decode: createHistoryDecoder(settings, payloads),
  startRun,
  cancelRun: ({ runId, tenantId }, reason) => cancelRunWorkflow(clientOf(tenantId), runId, reason),
  reconcileIntervalMs: settings.WEFT_RECONCILE_INTERVAL_MS,
  metrics: createProjectorMetrics(registry),
  snapshots,
  log,
});
const hints = createHintBatcher(pool, { onError: (error) => log.warn({ err: error }, 'hints were lost') });
const dispatcher = startRunDispatcher({
  databaseUrl,
  pool,
  startRun,
  cancelRun: async (run, reason) => {
    await startRun(run);
    await cancelRunWorkflow(clientOf(run.tenantId), run.id, reason);
  },
  hint: hints.hint,
  tenantWeights,
  metrics: createDispatcherMetrics(registry, pool),
  log,
});
registerProjectionMetrics(registry, pool);
const projections = startProjectionRunner(pool, ALL_PROJECTIONS, log);
const collector = startPayloadCollector({ pool, connection, settings, log });
const keeper = startEventKeeper({ pool, archiveAfterDays: settings.WEFT_ARCHIVE_AFTER_DAYS, log });
const outbox = settings.REDIS_URL === null ? null : openOutbox(settings.REDIS_URL);
log.info({ port: metricsServer.port }, 'projector is ready');
process.send?.({ ready: true, port: metricsServer.port });

function openOutbox(redisUrl: string) {
  const most = settings.WEFT_REDIS_EVENTS_MAX;
  const onError = (error: unknown) => log.warn({ err: error }, 'the connection to Redis was lost');
  return startEventOutbox({ pool, stream: openRedisEventStream(redisUrl, { most, onError }), log });
}

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await outbox?.stop();
  await dispatcher.stop();
  await hints.close();
  await collector.stop();
  await projections.stop();
  await keeper.stop();
  await projector.stop();
  await snapshots.stop();
  await metricsServer.close();
  await connection.close();
  await pool.end();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
process.once('disconnect', () => void stop());

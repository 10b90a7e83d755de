import { pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { readDefinitionByHash } from '../adapters/postgres/definition-store.ts';
import { createPayloadStore } from '../adapters/postgres/payload-store.ts';
import { openDatabase } from '../adapters/postgres/open-database.ts';
import { loadSettings } from '../config/load.ts';
import { AppError } from '../domain/errors.ts';
import { connectTemporal, createTemporalClient } from '../temporal/client.ts';
import { createHistoryDecoder } from '../temporal/history-payloads.ts';
import { startRunWorkflow } from '../temporal/start-run-workflow.ts';
import { startMetricsServer } from './metrics-server.ts';
import { startProjector } from './projector.ts';
import { createProjectorMetrics } from './projector-metrics.ts';

const settings = loadSettings();
const log = pino({ name: 'projector', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const { DATABASE_URL: databaseUrl } = settings;
if (databaseUrl === null) throw new AppError('DATABASE_UNAVAILABLE', { detail: 'DATABASE_URL is not set' });

const pool = openDatabase({ ...settings, DATABASE_URL: databaseUrl });
const payloads = createPayloadStore(pool);
const connection = await connectTemporal(settings);
const client = createTemporalClient(connection, settings, payloads);
const registry = new Registry();
collectDefaultMetrics({ register: registry });
const metricsServer = await startMetricsServer(registry, { host: settings.WEFT_HOST, port: settings.METRICS_PORT });
const projector = await startProjector({
  databaseUrl,
  pool,
  connection,
  namespace: settings.TEMPORAL_NAMESPACE,
  decode: createHistoryDecoder(settings, payloads),
  startRun: async (run) => {
    const published = await readDefinitionByHash(pool, run.definitionHash);
    if (!published) throw new AppError('NOT_FOUND', { what: 'Definition', id: run.definitionHash });
    await startRunWorkflow(client, run, published.definition);
  },
  reconcileIntervalMs: settings.WEFT_RECONCILE_INTERVAL_MS,
  metrics: createProjectorMetrics(registry),
  log,
});
log.info({ port: metricsServer.port }, 'projector is ready');
process.send?.({ ready: true, port: metricsServer.port });

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  await projector.stop();
  await metricsServer.close();
  await connection.close();
  await pool.end();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
process.once('disconnect', () => void stop());

import { parseArgs } from 'node:util';
import { GracefulShutdownPeriodExpiredError, IllegalStateError, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { findFreePort } from '../adapters/embedded/free-port.ts';
import { registerQueueGauges } from '../adapters/prometheus/queue-gauges.ts';
import { loadSettings } from '../config/load.ts';
import { AppError } from '../domain/errors.ts';
import { loadPools } from '../temporal/load-pools.ts';
import { bundleWorkflows } from './bundle.ts';
import { startWorkers } from './start-workers.ts';
import { temporalLogger } from './temporal-logger.ts';
import { startWorkerMetrics } from './worker-metrics.ts';

/** Exit codes besides 0: work was left behind for others to try again; a second signal (128 + SIGTERM). */
const LEFT_BEHIND = 3;
const KILLED = 143;

const { values } = parseArgs({
  options: {
    queues: { type: 'string' },
    bundle: { type: 'string' },
    concurrency: { type: 'string' },
    rate: { type: 'string' },
  },
});
const settings = loadSettings();
const log = pino({ name: 'worker', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
const corePort = await findFreePort(0, new Set());
Runtime.install({
  logger: temporalLogger(log),
  shutdownSignals: [],
  telemetryOptions: {
    metrics: { prometheus: { bindAddress: `127.0.0.1:${corePort}`, useSecondsForDurations: true } },
  },
});

const { DATABASE_URL } = settings;
if (DATABASE_URL === null) throw new AppError('DATABASE_UNAVAILABLE', { detail: 'DATABASE_URL is not set' });
const pools = loadPools(settings);
const queues = values.queues?.split(',') ?? pools.map(({ queue }) => queue);
const needsBundle = pools.some(({ queue, workflows }) => workflows && queues.includes(queue));
const metrics = await startWorkerMetrics({ host: settings.WEFT_HOST, port: settings.METRICS_PORT }, corePort);
const running = await startWorkers({
  settings: { ...settings, DATABASE_URL },
  queues,
  adjust: {
    ...(values.concurrency === undefined ? {} : { concurrency: Number(values.concurrency) }),
    ...(values.rate === undefined ? {} : { maxPerSecondPerWorker: Number(values.rate) }),
  },
  workflowBundle: values.bundle
    ? { codePath: values.bundle }
    : { code: needsBundle ? await bundleWorkflows(temporalLogger(log), settings.WEFT_CODE_DIR) : '' },
  log,
  registry: metrics.registry,
});
registerQueueGauges(metrics.registry, () => Promise.all(queues.map((queue) => running.queues.read(queue))));
log.info({ queues }, 'worker is ready');
process.send?.({ ready: true, port: metrics.port });

let draining = false;
function stop(reason: string): void {
  if (draining) {
    log.warn({ reason, left: running.running() }, 'asked again: the worker ends at once, others try its work again');
    process.exit(KILLED);
  }
  draining = true;
  const graceMs = settings.WEFT_WORKER_GRACE_MS;
  log.info({ reason, running: running.running(), graceMs }, 'the worker takes no more work and finishes what it has');
  running.drain();
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
process.once('disconnect', () => {
  if (!draining) stop('parent is gone');
});

try {
  await running.finished;
  log.info('the worker has ended; nothing was left behind');
  process.exit(0);
} catch (error) {
  // A worker that its activities still hold cannot be finalized, and that error comes in place of the time-out's.
  const late = error instanceof GracefulShutdownPeriodExpiredError || error instanceof IllegalStateError;
  if (!draining || !late) throw error;
  log.error('activities did not end in time; others try them again when their heartbeats are overdue');
  process.exit(LEFT_BEHIND);
}

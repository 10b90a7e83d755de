import { parseArgs } from 'node:util';
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { loadSettings } from '../config/load.ts';
import { AppError } from '../domain/errors.ts';
import { TASK_QUEUES, type TaskQueue } from '../domain/runs/queues.ts';
import { bundleWorkflows } from './bundle.ts';
import { startWorkers } from './start-workers.ts';
import { temporalLogger } from './temporal-logger.ts';

const { values } = parseArgs({
  options: { queues: { type: 'string', default: TASK_QUEUES.join(',') }, bundle: { type: 'string' } },
});
const settings = loadSettings();
const log = pino({ name: 'worker', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
Runtime.install({
  logger: temporalLogger(log),
  shutdownSignals: [],
  telemetryOptions: { metrics: { prometheus: { bindAddress: `${settings.WEFT_HOST}:${settings.METRICS_PORT}` } } },
});

const { DATABASE_URL } = settings;
if (DATABASE_URL === null) throw new AppError('DATABASE_UNAVAILABLE', { detail: 'DATABASE_URL is not set' });
const running = await startWorkers({
  settings: { ...settings, DATABASE_URL },
  queues: values.queues.split(',').map(queueNamed),
  workflowBundle: values.bundle ? { codePath: values.bundle } : { code: await bundleWorkflows(temporalLogger(log)) },
  log,
});
log.info({ queues: values.queues }, 'worker is ready');
process.send?.({ ready: true, port: settings.METRICS_PORT });

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void running.stop());
process.once('disconnect', () => void running.stop());
await running.finished;
process.exit(0);

function queueNamed(name: string): TaskQueue {
  const queue = TASK_QUEUES.find((candidate) => candidate === name);
  if (queue === undefined) {
    throw new AppError('INPUT_INVALID', { detail: `no queue ${name}; known are ${TASK_QUEUES.join(', ')}` });
  }
  return queue;
}

import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { findFreePort } from '../../../adapters/embedded/free-port.ts';
import { backlogAgeOf, backlogOf } from '../../../domain/runs/queue-stats.ts';
import { decideScale, initialScale, type ScaleLimits } from '../../../domain/runs/scale-workers.ts';
import { connectTemporal } from '../../../temporal/client.ts';
import { describeQueue } from '../../../temporal/describe-queue.ts';
import { type ChildService, startChildService } from '../start/child-service.ts';
import { logFile } from '../start/line-log.ts';
import { findServers, type FoundSettings } from './find-servers.ts';
import { workerLaunch } from './worker-process.ts';

export type AutoscaleOptions = {
  queue: string;
  min: number;
  max: number;
  backlog: number;
  maxWait: number;
  settle: number;
  calm: number;
  every: number;
  concurrency?: number;
  grace?: number;
  json?: boolean;
};
type Tell = (event: { event: string; workers: number; [field: string]: unknown }) => void;
type WorkerProcess = { service: ChildService; pid: number | undefined };

/** More than the grace and what comes after it: the worker ends by itself first. */
const KILL_AFTER_MS = 7_000;

/** `weft worker autoscale`: keeps between `min` and `max` worker processes of a queue until it is asked to stop. */
export async function autoscale(options: AutoscaleOptions): Promise<number> {
  const settings = await findServers();
  const limits: ScaleLimits = {
    min: options.min,
    max: options.max,
    backlogPerWorker: options.backlog,
    maxWaitMs: options.maxWait,
    settleMs: options.settle,
    calmMs: options.calm,
  };
  const tell: Tell = ({ event, workers, ...more }) => {
    const fields = Object.entries(more).map(([name, value]) => `${name} ${String(value)}`);
    const line = options.json
      ? JSON.stringify({ at: new Date().toISOString(), queue: options.queue, event, workers, ...more })
      : `${options.queue}: ${event}, ${workers} wanted${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`;
    process.stdout.write(`${line}\n`);
  };
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop);
  process.once('disconnect', stop);
  const group = createGroup(settings, options, tell);
  const connection = await connectTemporal(settings);
  try {
    let state = initialScale(limits.min);
    await group.resize(state.workers, stopping.signal);
    while (!stopping.signal.aborted) {
      await sleep(options.every, null, { signal: stopping.signal }).catch(() => null);
      const stats = await describeQueue(connection, settings.TEMPORAL_NAMESPACE, options.queue).catch(() => null);
      if (stats === null || stopping.signal.aborted) continue;
      const backlog = backlogOf(stats);
      const reading = { at: performance.now(), backlog, oldestMs: backlogAgeOf(stats) };
      const decision = decideScale(limits, state, reading);
      state = decision.state;
      if (decision.reason === null) continue;
      tell({ event: 'scale', workers: state.workers, reason: decision.reason, backlog });
      await group.resize(state.workers, stopping.signal);
    }
    return 0;
  } finally {
    tell({ event: 'stop', workers: 0 });
    await group.close();
    await connection.close();
  }
}

/** The worker processes; those that leave drain in the background. */
function createGroup(settings: FoundSettings, options: AutoscaleOptions, tell: Tell) {
  const log = pino({ name: 'autoscale', level: settings.WEFT_LOG_LEVEL }, pino.destination(2));
  const graceMs = options.grace ?? settings.WEFT_WORKER_GRACE_MS;
  const workers: WorkerProcess[] = [];
  const leaving = new Set<Promise<void>>();
  const ports = new Set<number>();
  let count = 0;
  const add = async () => {
    const metricsPort = await findFreePort(settings.METRICS_PORT, ports, settings.WEFT_HOST);
    const { concurrency, grace } = options;
    const launch = await workerLaunch(settings, { queues: [options.queue], metricsPort, concurrency, grace });
    const started: WorkerProcess = { pid: undefined } as WorkerProcess;
    started.service = startChildService({
      ...launch,
      name: `worker-${options.queue}`,
      logFile: logFile(`${resolve(settings.WEFT_DATA_DIR)}/logs`, `worker-${options.queue}-${(count += 1)}`),
      log,
      onPid: (pid) => (started.pid = pid),
    });
    workers.push(started);
    await started.service.ready;
    tell({ event: 'started', workers: workers.length, pid: started.pid });
  };
  const remove = () => {
    const last = workers.pop();
    if (last === undefined) return;
    tell({ event: 'draining', workers: workers.length, pid: last.pid });
    const drain = async () => {
      await last.service.stop(graceMs + KILL_AFTER_MS);
      tell({ event: 'stopped', workers: workers.length, pid: last.pid });
    };
    const gone = drain();
    leaving.add(gone);
    void gone.finally(() => leaving.delete(gone));
  };
  return {
    async resize(wanted: number, signal: AbortSignal): Promise<void> {
      while (workers.length > wanted) remove();
      while (workers.length < wanted && !signal.aborted) await add();
    },
    async close(): Promise<void> {
      while (workers.length > 0) remove();
      await Promise.all(leaving);
    },
  };
}

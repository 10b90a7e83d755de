import { Worker } from 'node:worker_threads';
import { AppError } from '../../domain/errors.ts';
import type { TextJob, TextJobs } from './text-job.ts';
import type { TextReply } from './text-thread.ts';

export type TextThreads = {
  run<Kind extends keyof TextJobs>(
    kind: Kind,
    input: TextJobs[Kind]['input'],
    signal: AbortSignal,
  ): Promise<TextJobs[Kind]['output']>;
  /** Ends every thread; work in progress fails as retryable. */
  close(): Promise<void>;
};

export type TextThreadsOptions = {
  /** Threads at most; they start when first needed and stay warm. */
  threads: number;
  memoryMegabytes?: number;
};

type Waiting = { job: TextJob; signal: AbortSignal; settle: (settlement: Settlement) => void };
type Settlement = { output: unknown } | { error: unknown };

/**
 * Text work off the main thread. An aborted job ends its thread at once, since computing cannot be interrupted otherwise; the next
 * job gets a new one. A thread that dies fails its job with a retryable error.
 */
export function createTextThreads({ threads, memoryMegabytes = 1024 }: TextThreadsOptions): TextThreads {
  const waiting: Waiting[] = [];
  const idle: Worker[] = [];
  const alive = new Set<Worker>();

  const next = () => {
    while (waiting.length > 0 && (idle.length > 0 || alive.size < threads)) {
      const worker = idle.pop() ?? startThread();
      work(worker, waiting.shift()!);
    }
  };

  const startThread = () => {
    const worker = new Worker(new URL('./text-thread.ts', import.meta.url), {
      name: 'weft-text',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
    });
    alive.add(worker);
    worker.once('exit', () => discard(worker));
    return worker;
  };

  const discard = (worker: Worker) => {
    alive.delete(worker);
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
    next();
  };

  const work = (worker: Worker, { job, signal, settle }: Waiting) => {
    const finish = (settlement: Settlement, reusable: boolean) => {
      worker.removeAllListeners('message').removeAllListeners('error').removeListener('exit', died);
      signal.removeEventListener('abort', aborted);
      // A terminating thread may still report an error; nobody waits for it any more.
      worker.on('error', () => {});
      if (reusable) idle.push(worker);
      else void worker.terminate();
      worker.unref();
      settle(settlement);
      if (reusable) next();
    };
    const died = () => finish({ error: threadDied('it exited') }, false);
    const aborted = () => finish({ error: signal.reason }, false);
    worker.removeAllListeners('error');
    worker.once('message', (reply: TextReply) => finish(settlementOf(reply), !('crash' in reply)));
    worker.once('error', (error) => finish({ error: threadDied(error.message, error) }, false));
    worker.once('exit', died);
    signal.addEventListener('abort', aborted);
    worker.ref();
    worker.postMessage(job);
  };

  return {
    run: (kind, input, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const leave = () => {
          const at = waiting.indexOf(entry);
          if (at < 0) return;
          waiting.splice(at, 1);
          reject(signal.reason as Error);
        };
        const settle = (settlement: Settlement) => {
          signal.removeEventListener('abort', leave);
          if ('output' in settlement) resolve(settlement.output as never);
          else reject(settlement.error);
        };
        const entry: Waiting = { job: { kind, input } as TextJob, signal, settle };
        signal.addEventListener('abort', leave);
        waiting.push(entry);
        next();
      }),
    close: async () => {
      for (const { settle } of waiting.splice(0)) settle({ error: threadDied('the pool is closed') });
      await Promise.all([...alive].map((worker) => worker.terminate()));
    },
  };
}

function settlementOf(reply: TextReply): Settlement {
  if ('output' in reply) return { output: reply.output };
  if ('code' in reply) return { error: new AppError(reply.code, reply.fields) };
  return { error: threadDied('it failed', reply.crash) };
}

function threadDied(detail: string, cause?: unknown): AppError {
  return new AppError('NODE_FAILED', { detail: `The text thread stopped: ${detail}` }, cause);
}

import { spawn } from 'node:child_process';
import { findFreePort } from '../../../adapters/embedded/free-port.ts';
import { findServers } from './find-servers.ts';
import { workerLaunch } from './worker-process.ts';

export type StartWorkerOptions = {
  queue: string[];
  concurrency?: number;
  rate?: number;
  grace?: number;
  json?: boolean;
};

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** `weft worker start`: a worker process in the foreground. Its exit code is ours. */
export async function startWorker({ queue, json, ...limits }: StartWorkerOptions): Promise<number> {
  const settings = await findServers();
  const metricsPort = await findFreePort(settings.METRICS_PORT, new Set(), settings.WEFT_HOST);
  const queues = [...new Set(queue)];
  const { args, env } = await workerLaunch(settings, { queues, metricsPort, ...limits });
  // A process group of its own: Ctrl-C reaches it through us, once.
  const child = spawn(process.execPath, args, { env, detached: true, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const forward = (signal: NodeJS.Signals) => void child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  for (const signal of SIGNALS) process.on(signal, forward);
  const orphaned = () => forward('SIGTERM');
  process.once('disconnect', orphaned);
  child.on('message', (message: { ready?: boolean; port?: number }) => {
    if (message.ready !== true) return;
    const metrics = `http://${settings.WEFT_HOST}:${message.port}/metrics`;
    const line = json
      ? JSON.stringify({ ready: true, pid: child.pid, queues, metrics })
      : `A worker of ${queues.join(', ')} is ready: process ${child.pid}, ${metrics}; Ctrl-C drains it`;
    process.stdout.write(`${line}\n`);
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward);
    process.off('disconnect', orphaned);
  }
}

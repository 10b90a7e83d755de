import { join, resolve } from 'node:path';
import { environmentWith } from '../../../config/load.ts';
import type { PoolRow } from '../../../domain/runs/pools.ts';
import { loadPools } from '../../../temporal/load-pools.ts';
import { workflowBundle } from '../start/workflow-bundle.ts';
import type { FoundSettings } from './find-servers.ts';

const WORKER = join(import.meta.dirname, '../../../workers/main.ts');

export type WorkerLaunch = { args: string[]; env: NodeJS.ProcessEnv };
export type LaunchOptions = {
  queues: readonly string[];
  concurrency?: number | undefined;
  rate?: number | undefined;
  grace?: number | undefined;
  metricsPort: number;
};

/** How to run a worker process of some queues: Node's arguments and the environment. */
export async function workerLaunch(settings: FoundSettings, options: LaunchOptions): Promise<WorkerLaunch> {
  const pools = options.queues.map((queue) => poolNamed(settings, queue));
  if (settings.DATABASE_URL === null) {
    const hint = 'set DATABASE_URL, or run npm start in another terminal';
    throw Object.assign(new Error('No Postgres is known'), { code: 'DATABASE_UNAVAILABLE', hint });
  }
  const number = (name: string, value: number | undefined) => (value === undefined ? [] : [name, String(value)]);
  const bundle = pools.some(({ workflows }) => workflows)
    ? ['--bundle', await workflowBundle(resolve(settings.WEFT_DATA_DIR), new AbortController().signal)]
    : [];
  return {
    args: [
      ...heapOf(pools),
      WORKER,
      ...['--queues', options.queues.join(',')],
      ...number('--concurrency', options.concurrency),
      ...number('--rate', options.rate),
      ...bundle,
    ],
    env: environmentWith({
      DATABASE_URL: settings.DATABASE_URL,
      TEMPORAL_ADDRESS: settings.TEMPORAL_ADDRESS,
      TEMPORAL_NAMESPACE: settings.TEMPORAL_NAMESPACE,
      METRICS_PORT: String(options.metricsPort),
      WEFT_WORKER_GRACE_MS: String(options.grace ?? settings.WEFT_WORKER_GRACE_MS),
    }),
  };
}

export function poolNamed(settings: FoundSettings, name: string): PoolRow {
  const table = loadPools(settings);
  const pool = table.find(({ queue }) => queue === name);
  if (pool) return pool;
  const hint = `The queues are ${table.map(({ queue }) => queue).join(', ')}; WEFT_POOLS_FILE adds others.`;
  throw Object.assign(new Error(`No worker pool has queue ${name}`), { code: 'INPUT_INVALID', hint });
}

/** The budget of the pools is the heap's limit too, where every one of them has one. */
function heapOf(pools: readonly PoolRow[]): string[] {
  const budgets = pools.map(({ memoryMb }) => memoryMb);
  if (budgets.includes(null)) return [];
  return [`--max-old-space-size=${budgets.reduce<number>((sum, budget) => sum + (budget ?? 0), 0)}`];
}

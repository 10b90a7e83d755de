import { freemem, totalmem } from 'node:os';
import { ResourceBasedController, type WorkerOptions } from '@temporalio/worker';
import type { Settings } from '../config/settings.ts';
import type { PoolRow } from '../domain/runs/pools.ts';

/** Part of a worker's options. */
export type Slots = Pick<WorkerOptions, 'tuner' | 'maxConcurrentActivityTaskExecutions'>;
type TunerSettings = Pick<Settings, 'WEFT_WORKER_TUNER' | 'WEFT_WORKER_MEMORY_PERCENT' | 'WEFT_WORKER_CPU_PERCENT'>;

/** Workflow tasks take a few ms each; what they hold is bounded by the cache of runs. */
const WORKFLOW_TASKS = 40;
const LOCAL_ACTIVITIES = 100;
/** So many run even on a machine that is full, or nothing would ever end; most activities wait for others anyway. */
const slotsForSure = (concurrency: number): number => Math.min(concurrency, Math.max(2, Math.ceil(concurrency / 4)));
/** Between two slots beyond those, so that the load of the last one is seen before the next. */
const RAMP_MS = 10;
const MEGABYTE = 1024 * 1024;

/**
 * Gives each pool its slots. The resource tuner hands out activity slots up to the pool's concurrency while memory and CPU are
 * below their targets; all pools of a process share one measure.
 */
export function createTuner(settings: TunerSettings, pools: readonly PoolRow[]): (pool: PoolRow) => Slots {
  if (settings.WEFT_WORKER_TUNER === 'fixed') {
    return ({ concurrency }) => ({ maxConcurrentActivityTaskExecutions: concurrency });
  }
  const controller = ResourceBasedController.create({
    targetMemoryUsage: memoryTarget(settings.WEFT_WORKER_MEMORY_PERCENT / 100, budgetBytes(pools), memoryNow()),
    targetCpuUsage: settings.WEFT_WORKER_CPU_PERCENT / 100,
  });
  return ({ concurrency }) => ({
    tuner: {
      workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: WORKFLOW_TASKS },
      activityTaskSlotSupplier: {
        type: 'resource-based',
        controller,
        minimumSlots: slotsForSure(concurrency),
        maximumSlots: concurrency,
        rampThrottle: RAMP_MS,
      },
      localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: LOCAL_ACTIVITIES },
      nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
    },
  });
}

/** What all pools of a process may use together; null when one of them has no limit. */
export function budgetBytes(pools: readonly PoolRow[]): number | null {
  if (pools.length === 0 || pools.some(({ memoryMb }) => memoryMb === null)) return null;
  return pools.reduce((sum, { memoryMb }) => sum + (memoryMb ?? 0), 0) * MEGABYTE;
}

export type Memory = { total: number; used: number; own: number; container: boolean };

/**
 * The tuner measures the container or the machine, a budget is the process's own. In a container the process is alone; on a
 * machine the others keep what they have when it starts.
 */
export function memoryTarget(most: number, budget: number | null, { total, used, own, container }: Memory): number {
  if (budget === null) return most;
  const others = container ? 0 : Math.max(0, used - own);
  return Math.max(0.01, Math.min(most, (others + budget) / total));
}

function memoryNow(): Memory {
  const limit = process.constrainedMemory();
  const container = limit > 0 && limit < totalmem();
  const own = process.memoryUsage.rss();
  return { total: container ? limit : totalmem(), used: totalmem() - freemem(), own, container };
}

/** Without a budget: a run takes about 280 KB, so 2,000 that wait cost about 70 KB each. */
const CACHED_RUNS = 500;

/** The SDK's own rule (600 runs a GiB above 200 MiB), for the budget of the pool instead of the heap. */
export function cachedRuns(setting: number | null, memoryMb: number | null): { maxCachedWorkflows: number } {
  if (setting !== null) return { maxCachedWorkflows: setting };
  if (memoryMb === null) return { maxCachedWorkflows: CACHED_RUNS };
  return { maxCachedWorkflows: Math.max(10, Math.floor((Math.max(0, memoryMb - 200) * 600) / 1024)) };
}

import type { Settings } from '../config/settings.ts';
import type { TaskQueue } from '../domain/runs/queues.ts';

export type WorkerPool = {
  queue: TaskQueue;
  /** Activities at once in one process. */
  activityConcurrency: number;
  /** Whether the pool also runs the workflows. */
  workflows: boolean;
  rooms: readonly ('content' | 'models' | 'tools')[];
};

/** One row per task queue: what runs there and how much of it at once. */
export function workerPools(settings: Settings): readonly WorkerPool[] {
  return [
    { queue: 'runs', activityConcurrency: settings.WEFT_QUEUE_RUNS_CONCURRENCY, workflows: true, rooms: ['tools'] },
    {
      queue: 'content',
      activityConcurrency: settings.WEFT_QUEUE_CONTENT_CONCURRENCY,
      workflows: false,
      rooms: ['content'],
    },
    {
      queue: 'models',
      activityConcurrency: settings.WEFT_QUEUE_MODELS_CONCURRENCY,
      workflows: false,
      rooms: ['models'],
    },
  ];
}

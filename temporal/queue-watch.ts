import type { QueueStats } from '../domain/runs/queue-stats.ts';
import { describeQueue, type TemporalService } from './describe-queue.ts';

/** What is known of task queues; asks Temporal at most once in `freshMs` for each, however many ask here. */
export type QueueWatch = { read: (queue: string) => Promise<QueueStats> };

const FRESH_MS = 2_000;

export function createQueueWatch(connection: TemporalService, namespace: string, freshMs = FRESH_MS): QueueWatch {
  const known = new Map<string, { at: number; stats: Promise<QueueStats> }>();
  return {
    read(queue) {
      const earlier = known.get(queue);
      if (earlier && Date.now() - earlier.at < freshMs) return earlier.stats;
      const stats = describeQueue(connection, namespace, queue);
      known.set(queue, { at: Date.now(), stats });
      stats.catch(() => known.delete(queue));
      return stats;
    },
  };
}

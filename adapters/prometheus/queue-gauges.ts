import { Gauge, type Registry } from 'prom-client';
import { isUnserved, livePollers, type QueueHalf, type QueueStats } from '../../domain/runs/queue-stats.ts';

type Read = () => Promise<readonly QueueStats[]>;
type Row = { name: string; help: string; of: (half: QueueHalf, readAt: number) => number };

const ROWS: readonly Row[] = [
  { name: 'backlog', help: 'Tasks that wait; approximate.', of: (half) => half.backlog },
  {
    name: 'backlog_age_seconds',
    help: 'How long the first waiting task has waited.',
    of: (half) => half.backlogAgeMs / 1_000,
  },
  { name: 'added_per_second', help: 'Tasks added over the last half minute.', of: (half) => half.addedPerSecond },
  {
    name: 'dispatched_per_second',
    help: 'Tasks handed to workers over the last half minute.',
    of: (half) => half.dispatchedPerSecond,
  },
  { name: 'pollers', help: 'Workers that ask for tasks.', of: livePollers },
];

/** `weft_task_queue_*`: read when Prometheus asks. Every process that has them tells the same, so take their maximum. */
export function registerQueueGauges(registry: Registry, read: Read): void {
  for (const { name, help, of } of ROWS) {
    gauge(registry, { name, help, labels: ['queue', 'type'] }, read, (stats, set) => {
      set(of(stats.workflows, stats.readAt), { queue: stats.queue, type: 'workflow' });
      set(of(stats.activities, stats.readAt), { queue: stats.queue, type: 'activity' });
    });
  }
  const unserved = { name: 'unserved', help: '1 when tasks wait and no worker asks for them.', labels: ['queue'] };
  gauge(registry, unserved, read, (stats, set) => set(isUnserved(stats) ? 1 : 0, { queue: stats.queue }));
}

type SetValue = (value: number, labels: Record<string, string>) => void;

/** While Temporal does not answer there is no value rather than an old one. */
function gauge(
  registry: Registry,
  { name, help, labels }: { name: string; help: string; labels: readonly string[] },
  read: Read,
  fill: (stats: QueueStats, set: SetValue) => void,
): void {
  const made = new Gauge({
    name: `weft_task_queue_${name}`,
    help,
    labelNames: labels,
    registers: [],
    async collect() {
      const known = await read().catch(() => []);
      this.reset();
      for (const stats of known) fill(stats, (value, of) => this.set(of, value));
    },
  });
  registry.registerMetric(made);
}

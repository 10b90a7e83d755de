import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type ProjectorMetrics = ReturnType<typeof createProjectorMetrics>;

export function createProjectorMetrics(registry: Registry) {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'weft_feed_events_total',
      help: 'Events stored by the feed; lane is live, or backlog while it catches up',
      labelNames: ['lane'],
      registers,
    }),
    pages: new Counter({ name: 'weft_feed_pages_total', help: 'History pages stored', registers }),
    failures: new Counter({ name: 'weft_feed_failures_total', help: 'Pages or reads that failed', registers }),
    batchEvents: new Histogram({
      name: 'weft_feed_batch_events',
      help: 'Events of one transaction',
      buckets: [1, 3, 10, 30, 100, 300, 1_000, 3_000],
      registers,
    }),
    lag: new Histogram({
      name: 'weft_feed_lag_ms',
      help: 'From the time of an event in Temporal until it could be read here; lane is live, or backlog while it catches up',
      labelNames: ['lane'],
      buckets: [5, 10, 25, 50, 75, 100, 150, 250, 500, 1_000, 5_000, 30_000, 120_000],
      registers,
    }),
    followers: new Gauge({ name: 'weft_feed_followers', help: 'Histories being read or waited for', registers }),
    waiting: new Gauge({
      name: 'weft_feed_waiting',
      help: 'Runs with news that wait for a free follower; lane is live or backlog',
      labelNames: ['lane'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'weft_feed_events_in_flight',
      help: 'Events that were read and are not stored yet',
      registers,
    }),
    lost: new Counter({
      name: 'weft_feed_lost_histories_total',
      help: 'Histories that left Temporal before they were read to the end',
      registers,
    }),
    adopted: new Counter({
      name: 'weft_feed_adopted_runs_total',
      help: "Runs that somebody else's client started",
      registers,
    }),
    shards: new Gauge({ name: 'weft_feed_shards', help: 'Shards owned by this process', registers }),
    owned: new Gauge({
      name: 'weft_feed_shard_owned',
      help: '1 for each shard that this process owns; summed over processes it should be 1 a shard',
      labelNames: ['shard'],
      registers,
    }),
    reconciled: new Counter({
      name: 'weft_feed_reconciled_total',
      help: 'Runs that the reconciler found behind or not started',
      registers,
    }),
  };
}

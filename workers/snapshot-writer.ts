import type pg from 'pg';
import type { Logger } from 'pino';
import type { RunFeed } from '../adapters/postgres/run-feed.ts';
import {
  pruneSnapshots,
  type RunSnapshot,
  type SnapshotRetention,
  writeSnapshot,
} from '../adapters/postgres/run-snapshots.ts';
import { SnapshotMeter, type SnapshotPolicy } from '../domain/events/snapshot-meter.ts';
import type { StoredEvent } from '../domain/events/stored-event.ts';

export type SnapshotWriter = {
  /** To be called when `feed` has moved over these events. Never waits. */
  moved(feed: RunFeed, events: readonly Pick<StoredEvent, 'occurredAt' | 'payload'>[]): void;
  stop(): Promise<void>;
};

const PRUNE_MS = 3_600_000;

/**
 * Keeps states that the projector has at hand anyway. Of a run only the newest that waits is written, one after the other: that a
 * snapshot is missing costs time when somebody reads, and nothing else.
 */
export function createSnapshotWriter(
  pool: pg.Pool,
  { policy, retention, log }: { policy: SnapshotPolicy; retention: SnapshotRetention; log: Logger },
): SnapshotWriter {
  const meters = new WeakMap<RunFeed, SnapshotMeter>();
  const waiting = new Map<string, RunSnapshot>();
  let writing: Promise<void> | undefined;
  const write = async () => {
    for (const [runId, snapshot] of waiting) {
      waiting.delete(runId);
      await writeSnapshot(pool, runId, snapshot);
    }
    writing = undefined;
  };
  const failed = (error: unknown) => {
    writing = undefined;
    log.warn({ err: error }, 'a snapshot could not be written');
  };
  const prune = () => {
    pruneSnapshots(pool, retention).catch((error: unknown) =>
      log.warn({ err: error }, 'old snapshots could not be deleted'),
    );
  };
  const timer = setInterval(prune, PRUNE_MS);
  timer.unref();
  return {
    moved(feed, events) {
      const meter = meters.get(feed) ?? new SnapshotMeter(policy);
      meters.set(feed, meter);
      const due = events.filter((event) => meter.after(event)).length > 0;
      const definitionHash = feed.definitions.hashOf(feed.compiled);
      if (!due || feed.link === null || definitionHash === undefined) return;
      const { state, link } = feed;
      waiting.set(feed.runId, { sequence: link.sequenceBase + link.version, definitionHash, state });
      writing ??= write().catch(failed);
    },
    async stop() {
      clearInterval(timer);
      while (writing) await writing;
    },
  };
}

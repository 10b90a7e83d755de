import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import type pg from 'pg';
import type { Logger } from 'pino';
import { recentlyMovedRuns } from '../adapters/postgres/open-runs.ts';
import { takeHints } from '../adapters/postgres/run-hints.ts';
import { openShardLocks, SHARDS, type ShardLocks } from '../adapters/postgres/shard-locks.ts';
import type { DecodePayloads } from '../temporal/history-payloads.ts';
import type { TenantNamespaces } from '../temporal/tenant-namespaces.ts';
import { createAdoption } from './adopt-run.ts';
import { createFollowers, type FollowersLimits } from './projector-followers.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';
import { createProjectorWriter } from './projector-writer.ts';
import type { SnapshotWriter } from './snapshot-writer.ts';
import { createReconciler, type CancelRun, type StartRun } from './reconciler.ts';

export type ProjectorOptions = {
  databaseUrl: string;
  pool: pg.Pool;
  connection: Connection;
  namespaces: TenantNamespaces;
  /** Queues whose workers run workflows: what others start there is shown too. */
  workflowQueues: readonly string[];
  decode: DecodePayloads;
  /** Starts the Temporal workflow of a run whose row was inserted and nothing more. */
  startRun: StartRun;
  cancelRun: CancelRun;
  reconcileIntervalMs: number;
  metrics: ProjectorMetrics;
  log: Logger;
  /** False leaves hints alone, so that only the reconciler finds news. */
  useHints?: boolean;
  limits?: FollowersLimits;
  /** Keeps states of runs as they move. */
  snapshots?: SnapshotWriter;
};
export type Projector = { stop: () => Promise<void> };

const BALANCE_MS = 1_000;
/** A NOTIFY is lost with its connection, so hints are also looked for. */
const POLL_HINTS_MS = 500;
/** Hints that come within it are taken together. */
const GATHER_HINTS_MS = 100;
/** Older hints were waiting for a projector to come. */
const LIVE_HINT_MS = 5_000;

/** Follows the histories of the runs in the shards that this process owns. Any number of processes share the shards. */
export async function startProjector(options: ProjectorOptions): Promise<Projector> {
  const { pool, log, metrics, useHints = true } = options;
  const writer = createProjectorWriter(pool, metrics, options.snapshots?.moved);
  const adopt = createAdoption(options);
  const followers = createFollowers({ ...options, adopt, writer }, options.limits);
  const owned = new Set<number>();
  const takeAllHints = coalesced(async () => {
    if (!useHints || owned.size === 0) return;
    for (const { runId, ageMs } of await takeHints(pool, [...owned]))
      followers.follow({ runId }, { backlog: ageMs > LIVE_HINT_MS });
    await sleep(GATHER_HINTS_MS);
  }, log);
  const reconciler = createReconciler({ ...options, owned, adopt, follow: followers.follow });

  const report = () => {
    metrics.shards.set(owned.size);
    for (let shard = 0; shard < SHARDS; shard += 1) metrics.owned.set({ shard }, owned.has(shard) ? 1 : 0);
  };
  let locks: ShardLocks | undefined;
  const balance = coalesced(async () => {
    locks ??= await openShardLocks(options.databaseUrl, {
      onHint: takeAllHints,
      onLost: (error) => {
        log.warn({ err: error }, 'the connection with the shard locks was lost');
        locks = undefined;
        owned.clear();
        report();
        void followers.keepOnly(owned);
      },
    });
    const held = locks;
    const { taken, surplus } = await held.balance(owned);
    for (const shard of surplus) owned.delete(shard);
    if (surplus.length > 0) {
      await followers.keepOnly(owned);
      await held.release(surplus);
    }
    if (taken.length > 0 && held === locks) {
      for (const shard of taken) owned.add(shard);
      log.info({ shards: [...owned] }, 'shards taken');
      // Hints that the earlier owner took along are made up for.
      if (useHints)
        for (const runId of await recentlyMovedRuns(pool, taken)) followers.follow({ runId }, { backlog: true });
      takeAllHints();
    }
    report();
  }, log);

  balance();
  const timers = [setInterval(balance, BALANCE_MS), setInterval(takeAllHints, POLL_HINTS_MS)];
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await reconciler.stop();
      await Promise.all([balance.idle(), takeAllHints.idle()]);
      await followers.stop();
      await writer.drained();
      await locks?.close();
      locks = undefined;
    },
  };
}

type Coalesced = { (): void; idle(): Promise<void> };

/** Runs `work` once at a time; any number of calls meanwhile make it run once more. */
function coalesced(work: () => Promise<void>, log: Logger): Coalesced {
  let running: Promise<void> | undefined;
  let again = false;
  const run = async () => {
    do {
      again = false;
      try {
        await work();
      } catch (error) {
        log.warn({ err: error }, 'the projector could not reach Postgres');
        return;
      }
    } while (again);
  };
  const call = () => {
    again = true;
    running ??= run().finally(() => {
      running = undefined;
    });
  };
  return Object.assign(call, { idle: async () => running });
}

import { LRUCache } from 'lru-cache';
import type { CompiledDefinition } from '../domain/runs/compile.ts';
import { createFollowLanes } from './follow-lanes.ts';
import {
  breathMs,
  type FollowedRun,
  followRun,
  type FollowRequest,
  type FollowRunDeps,
  loadFollowed,
} from './follow-run.ts';
import { createRetryPauses } from './retry-pauses.ts';

export type Followers = {
  /**
   * Reads the run's history to its end, and a moment longer. Asking again while it is being read is remembered. `backlog` is for
   * what happened long ago: it waits for whatever happens now.
   */
  follow(request: FollowRequest, options?: { backlog?: boolean }): void;
  /** Stops those of shards that are not owned any more and forgets what was known of them. */
  keepOnly(owned: ReadonlySet<number>): Promise<void>;
  stop(): Promise<void>;
};

export type FollowersLimits = {
  /** Histories that are read or waited for at once. */
  followers: number;
  /** How many of them may belong to the backlog. */
  backlog: number;
  /** Events that all pages under way may hold together. */
  eventsInFlight: number;
};

type Active = {
  abort: AbortController;
  done: Promise<void>;
  again: FollowRequest | undefined;
  shard: number | undefined;
  backlog: boolean;
};

const LIMITS: FollowersLimits = { followers: 400, backlog: 24, eventsInFlight: 20_000 };
const PAGE_EVENTS = { most: 1_000, least: 50 };
const CACHED_RUNS = 2_000;
const CACHED_DEFINITIONS = 200;

export function createFollowers(deps: FollowRunDeps, limits: FollowersLimits = LIMITS): Followers {
  const cache = new LRUCache<string, FollowedRun>({ max: CACHED_RUNS });
  const definitions = new LRUCache<string, CompiledDefinition>({ max: CACHED_DEFINITIONS });
  const active = new Map<string, Active>();
  const lanes = createFollowLanes();
  const pauses = createRetryPauses();
  let behind = 0;
  let stopped = false;

  const startNext = () => {
    while (!stopped && active.size < limits.followers) {
      const next = lanes.take({ late: behind < limits.backlog });
      if (!next) break;
      start(next.request, next.late);
    }
    const { live, backlog } = lanes.sizes();
    deps.metrics.followers.set(active.size);
    deps.metrics.waiting.set({ lane: 'live' }, live);
    deps.metrics.waiting.set({ lane: 'backlog' }, backlog);
  };
  const start = (request: FollowRequest, late: boolean) => {
    const entry = newEntry(late);
    active.set(request.runId, entry);
    if (late) behind += 1;
    entry.done = attempt(request, entry).finally(() => {
      active.delete(request.runId);
      if (late) behind -= 1;
      if (entry.again && !entry.abort.signal.aborted) lanes.add(entry.again, false);
      startNext();
    });
  };
  const attempt = async (request: FollowRequest, entry: Active) => {
    try {
      const followed = cache.get(request.runId) ?? (await loadFollowed(deps, request.runId, definitions));
      if (!followed) return;
      cache.set(request.runId, followed);
      entry.shard = followed.feed.shard;
      const hurried = () => lanes.sizes().live > 0 || (entry.backlog && lanes.sizes().backlog > 0);
      const pageEvents = () => pageSize(limits, active.size);
      const round = { signal: entry.abort.signal, hurried, pageEvents, breathMs: () => breathMs(active.size) };
      await followRun(deps, followed, request, Object.assign(entry, round));
      pauses.forget(request.runId);
    } catch (error) {
      cache.delete(request.runId);
      if (!entry.abort.signal.aborted) rest({ ...request, ...entry.again }, entry.backlog, error);
      entry.again = undefined;
    }
  };
  const rest = (request: FollowRequest, late: boolean, error: unknown) => {
    const retryInMs = pauses.rest(request, (next) => follow(next, { backlog: late }));
    deps.metrics.failures.inc();
    deps.log.warn({ err: error, runId: request.runId, retryInMs }, 'reading a run failed');
  };
  const follow: Followers['follow'] = (request, { backlog = false } = {}) => {
    if (stopped) return;
    const entry = active.get(request.runId);
    if (entry) entry.again = { ...entry.again, ...request };
    else if (!pauses.add(request)) lanes.add(request, backlog);
    startNext();
  };
  return {
    follow,
    async keepOnly(owned) {
      for (const [runId, { feed }] of cache) if (!owned.has(feed.shard)) cache.delete(runId);
      await abandon([...active.values()].filter(({ shard }) => shard !== undefined && !owned.has(shard)));
    },
    async stop() {
      stopped = true;
      lanes.clear();
      pauses.stop();
      await abandon([...active.values()]);
    },
  };
}

const newEntry = (backlog: boolean): Active => ({
  abort: new AbortController(),
  done: Promise.resolve(),
  again: undefined,
  shard: undefined,
  backlog,
});

async function abandon(entries: readonly Active[]): Promise<void> {
  for (const entry of entries) entry.abort.abort();
  await Promise.all(entries.map((entry) => entry.done));
}

/** The more histories are read at once, the less of each at a time. */
function pageSize({ eventsInFlight }: FollowersLimits, readers: number): number {
  const share = Math.floor(eventsInFlight / Math.max(readers, 1));
  return Math.max(PAGE_EVENTS.least, Math.min(PAGE_EVENTS.most, share));
}

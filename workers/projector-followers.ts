import type { Connection } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { Logger } from 'pino';
import { loadRunFeed, type RunFeed } from '../adapters/postgres/run-feed.ts';
import { AppError } from '../domain/errors.ts';
import { migrationOf } from '../domain/events/run-fold.ts';
import type { JsonObject } from '../domain/json.ts';
import { type HistoryCursor, readHistoryPage } from '../temporal/history-reader.ts';
import type { DecodePayloads } from '../temporal/history-payloads.ts';
import { historyToEvents, type NodeRefs, recallNodeRef } from '../temporal/history-to-events.ts';
import { nextTemporalRunId, ownTemporalRunId } from '../temporal/history-links.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';
import type { ProjectorWriter } from './projector-writer.ts';

export type FollowRequest = {
  runId: string;
  /** A Temporal run known to come after the last link read; without it that link is read on. */
  temporalRunId?: string;
};

export type Followers = {
  /** Reads the run's history to its end, and a moment longer. Asking again while it is being read is remembered. */
  follow(request: FollowRequest): void;
  /** Stops those of shards that are not owned any more and forgets what was known of them. */
  keepOnly(owned: ReadonlySet<number>): Promise<void>;
  stop(): Promise<void>;
};

export type FollowersDeps = {
  pool: pg.Pool;
  connection: Connection;
  namespace: string;
  decode: DecodePayloads;
  writer: ProjectorWriter;
  metrics: ProjectorMetrics;
  log: Logger;
};

type Cached = {
  feed: RunFeed;
  refs: NodeRefs;
  /** The link that goes on after the last one read. */
  next: string | undefined;
};
type Active = {
  abort: AbortController;
  done: Promise<void>;
  again: FollowRequest | undefined;
  shard: number | undefined;
};

const MOST_FOLLOWERS = 400;
const CACHED_RUNS = 2_000;
/**
 * A step writes its events in three or four commits a few ms apart, and each would wake a waiting read. A breath after a short
 * page lets them come together: half the requests, 10 ms more at the median and no more at the tail (measured).
 */
const BREATH_MS = 20;
const SHORT_PAGE_EVENTS = 100;
/** With runs waiting for a follower nobody lingers: the server then answers at once whether there is news. */
const HURRIED_DEADLINE_MS = 1_050;
const RETRY_MS = { first: 100, most: 30_000 };

export function createFollowers(deps: FollowersDeps): Followers {
  const { metrics, log } = deps;
  const cache = new LRUCache<string, Cached>({ max: CACHED_RUNS });
  const active = new Map<string, Active>();
  const waiting = new Map<string, FollowRequest>();
  let stopped = false;

  const report = () => {
    metrics.followers.set(active.size);
    metrics.waiting.set(waiting.size);
  };
  const startNext = () => {
    for (const [runId, request] of waiting) {
      if (active.size >= MOST_FOLLOWERS || stopped) break;
      waiting.delete(runId);
      start(request);
    }
    report();
  };
  const start = (request: FollowRequest) => {
    const entry: Active = { abort: new AbortController(), done: Promise.resolve(), again: undefined, shard: undefined };
    active.set(request.runId, entry);
    entry.done = persist(request, entry).finally(() => {
      active.delete(request.runId);
      if (entry.again && !entry.abort.signal.aborted) waiting.set(request.runId, entry.again);
      startNext();
    });
  };
  /** Follows until it works; each failure forgets what was known of the run. */
  const persist = async (request: FollowRequest, entry: Active) => {
    const { signal } = entry.abort;
    for (let delay = RETRY_MS.first; !signal.aborted; delay = Math.min(delay * 2, RETRY_MS.most)) {
      try {
        await followRun(deps, cache, request, entry, () => waiting.size > 0);
        return;
      } catch (error) {
        if (signal.aborted) return;
        cache.delete(request.runId);
        metrics.failures.inc();
        log.warn({ err: error, runId: request.runId, retryInMs: delay }, 'reading a run failed');
        await pause(delay, signal);
      }
    }
  };
  return {
    follow(request) {
      if (stopped) return;
      const entry = active.get(request.runId);
      if (entry) entry.again = { ...entry.again, ...request };
      else waiting.set(request.runId, { ...waiting.get(request.runId), ...request });
      startNext();
    },
    async keepOnly(owned) {
      for (const [runId, { feed }] of cache) if (!owned.has(feed.shard)) cache.delete(runId);
      const leaving = [...active.values()].filter(({ shard }) => shard !== undefined && !owned.has(shard));
      for (const entry of leaving) entry.abort.abort();
      await Promise.all(leaving.map((entry) => entry.done));
    },
    async stop() {
      stopped = true;
      waiting.clear();
      for (const entry of active.values()) entry.abort.abort();
      await Promise.all([...active.values()].map((entry) => entry.done));
    },
  };
}

async function followRun(
  deps: FollowersDeps,
  cache: LRUCache<string, Cached>,
  request: FollowRequest,
  entry: Active,
  hurried: () => boolean,
): Promise<void> {
  const cached = cache.get(request.runId) ?? (await load(deps.pool, request.runId));
  if (!cached) return;
  cache.set(request.runId, cached);
  entry.shard = cached.feed.shard;
  let cursor = firstCursor(cached) ?? laterCursor(cached, request);
  while (cursor && !entry.abort.signal.aborted) {
    // A later link asked for meanwhile is a request of its own.
    if (entry.again?.temporalRunId === undefined) entry.again = undefined;
    const next = await followPage(deps, cached, cursor, entry.abort.signal, hurried());
    if (next === 'idle') {
      if (entry.again === undefined || entry.again.temporalRunId !== undefined) return;
      continue;
    }
    cursor = next ?? laterCursor(cached, request);
  }
}

/** Reads the last link on, or the one that continues it. */
function firstCursor({ feed, next }: Cached): HistoryCursor | undefined {
  const { runId: workflowId, link } = feed;
  if (link?.ended) return next === undefined ? undefined : { workflowId, temporalRunId: next, token: null };
  return { workflowId, temporalRunId: link?.temporalRunId ?? null, token: link?.token ?? null };
}

/** A link that was asked for by name, as after a reset: it comes once those before it are read. */
function laterCursor({ feed }: Cached, { temporalRunId }: FollowRequest): HistoryCursor | undefined {
  if (temporalRunId === undefined || !feed.link?.ended || feed.link.temporalRunId === temporalRunId) return undefined;
  return { workflowId: feed.runId, temporalRunId, token: null };
}

/** Reads and stores one page. Gives where to read on, `idle` when there is no news, undefined at the end. */
async function followPage(
  deps: FollowersDeps,
  cached: Cached,
  cursor: HistoryCursor,
  signal: AbortSignal,
  hurried: boolean,
): Promise<HistoryCursor | 'idle' | undefined> {
  const { feed, refs } = cached;
  const page = await readHistoryPage(deps.connection, deps.namespace, cursor, {
    signal,
    ...(hurried ? { deadlineMs: HURRIED_DEADLINE_MS } : {}),
  });
  if (page.kind === 'not_found') {
    if (feed.link) deps.log.warn({ runId: feed.runId }, 'the history of an open run is gone from Temporal');
    return undefined;
  }
  if (page.kind === 'token_refused') return { ...cursor, token: null };
  if (page.events.length === 0 && !page.ended) return signal.aborted ? undefined : 'idle';

  const first = cursor.token === null ? ownTemporalRunId(page.events) : undefined;
  const temporalRunId = cursor.temporalRunId ?? first?.temporalRunId;
  if (temporalRunId === undefined) return 'idle';
  if (cursor.temporalRunId === null && first && first.chainStart !== temporalRunId)
    return { ...cursor, temporalRunId: first.chainStart, token: null };

  if (cursor.token === null) refs.clear();
  const events = await historyToEvents(page.events, refs, deps.decode);
  for (const event of events) {
    const migration = migrationOf(event);
    if (migration) await feed.definitions.read(migration.hash);
  }
  const outcome = await deps.writer.write(feed, { temporalRunId, events, token: page.token, ended: page.ended });
  if (outcome === 'stale')
    throw new AppError('VERSION_CONFLICT', { streamId: feed.runId, expectedVersion: feed.link?.version });
  if (!page.ended) {
    if (events.length < SHORT_PAGE_EVENTS) await pause(BREATH_MS, signal);
    return { ...cursor, temporalRunId, token: page.token };
  }
  cached.next = nextTemporalRunId(page.events);
  return cached.next === undefined ? undefined : { ...cursor, temporalRunId: cached.next, token: null };
}

async function load(pool: pg.Pool, runId: string): Promise<Cached | undefined> {
  const refs: NodeRefs = new Map();
  let next: string | undefined;
  const feed = await loadRunFeed(pool, runId, ({ version, type, payload }) => {
    const fields = payload as JsonObject;
    recallNodeRef(refs, { version, type, payload: fields });
    if (type === 'run.continued_as_new') next = fields['temporalRunId'] as string;
  });
  return feed && { feed, refs, next };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

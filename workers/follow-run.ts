import type { Connection } from '@temporalio/client';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { SharedDefinitions } from '../adapters/postgres/compiled-definitions.ts';
import { loadRunFeed, type RunFeed } from '../adapters/postgres/run-feed.ts';
import type { FeedEvent } from '../adapters/postgres/feed-store.ts';
import { AppError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/events/stored-event.ts';
import { migrationOf } from '../domain/events/run-fold.ts';
import type { JsonObject } from '../domain/json.ts';
import { type HistoryCursor, readHistoryPage } from '../temporal/history-reader.ts';
import type { DecodePayloads } from '../temporal/history-payloads.ts';
import { historyToEvents, type NodeRefs, recallNodeRef } from '../temporal/history-to-events.ts';
import { nextTemporalRunId, ownTemporalRunId } from '../temporal/history-links.ts';
import type { TenantNamespaces } from '../temporal/tenant-namespaces.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';
import type { ProjectorWriter } from './projector-writer.ts';

export type FollowRequest = {
  runId: string;
  /** A Temporal run known to come after the last link read; without it that link is read on. */
  temporalRunId?: string;
  /** Temporal was asked for the run and does not know it (any more). */
  gone?: boolean;
};

export type FollowRunDeps = {
  pool: pg.Pool;
  connection: Connection;
  namespaces: TenantNamespaces;
  decode: DecodePayloads;
  /** Makes a run known that somebody else's client has started; false when there is none with this id. */
  adopt: (runId: string) => Promise<boolean>;
  writer: ProjectorWriter;
  metrics: ProjectorMetrics;
  log: Logger;
};

/** A run as a follower keeps it between two rounds. */
export type FollowedRun = {
  feed: RunFeed;
  refs: NodeRefs;
  /** The link that goes on after the last one read. */
  next: string | undefined;
};

/** What the round at hand may do, and what was asked meanwhile. */
export type Round = {
  signal: AbortSignal;
  /** Asked again while it was under way. */
  again: FollowRequest | undefined;
  /** Behind by much: whatever happens now goes before it. */
  backlog: boolean;
  hurried: () => boolean;
  pageEvents: () => number;
  breathMs: () => number;
};

/**
 * A step writes its events in three or four commits a few ms apart, and each would wake a waiting read. A breath after a short
 * page lets them come together. The more runs are followed the longer it is: each request costs the server and this process
 * about the same, however few events it brings.
 */
export const breathMs = (followed: number): number => Math.min(10 + 8 * followed, 170);
const SHORT_PAGE_EVENTS = 100;
/** With runs waiting for a follower nobody lingers: the server then answers at once whether there is news. */
const HURRIED_DEADLINE_MS = 1_050;
const LOST = 'Its history left Temporal before it was read to the end';

/** Reads the run's history to its end, and a moment longer. */
export async function followRun(
  deps: FollowRunDeps,
  followed: FollowedRun,
  request: FollowRequest,
  round: Round,
): Promise<void> {
  let cursor = firstCursor(followed) ?? laterCursor(followed, request);
  while (cursor && !round.signal.aborted) {
    // A later link asked for meanwhile is a request of its own.
    if (round.again?.temporalRunId === undefined) round.again = undefined;
    const next = await followPage(deps, followed, cursor, request, round);
    if (next === 'idle') {
      if (round.again === undefined || round.again.temporalRunId !== undefined) return;
      continue;
    }
    cursor = next ?? laterCursor(followed, request);
  }
}

/** Undefined for a run that is not ours and that nobody has started in our queues. */
export async function loadFollowed(
  { pool, adopt }: FollowRunDeps,
  runId: string,
  definitions: SharedDefinitions,
): Promise<FollowedRun | undefined> {
  const refs: NodeRefs = new Map();
  let next: string | undefined;
  const onEvent = ({ version, type, payload }: StoredEvent) => {
    const fields = payload as JsonObject;
    recallNodeRef(refs, { version, type, payload: fields });
    if (type === 'run.continued_as_new') next = fields['temporalRunId'] as string;
  };
  const load = () => loadRunFeed(pool, runId, onEvent, definitions);
  const feed = (await load()) ?? ((await adopt(runId)) ? await load() : undefined);
  return feed && { feed, refs, next };
}

/** Reads the last link on, or the one that continues it. */
function firstCursor({ feed, next }: FollowedRun): HistoryCursor | undefined {
  const { runId: workflowId, link } = feed;
  if (link?.ended) return next === undefined ? undefined : { workflowId, temporalRunId: next, token: null };
  return { workflowId, temporalRunId: link?.temporalRunId ?? null, token: link?.token ?? null };
}

/** A link that was asked for by name, as after a reset: it comes once those before it are read. */
function laterCursor({ feed }: FollowedRun, { temporalRunId }: FollowRequest): HistoryCursor | undefined {
  if (temporalRunId === undefined || !feed.link?.ended || feed.link.temporalRunId === temporalRunId) return undefined;
  return { workflowId: feed.runId, temporalRunId, token: null };
}

/** Reads and stores one page. Gives where to read on, `idle` when there is no news, undefined at the end. */
async function followPage(
  deps: FollowRunDeps,
  followed: FollowedRun,
  cursor: HistoryCursor,
  request: FollowRequest,
  round: Round,
): Promise<HistoryCursor | 'idle' | undefined> {
  const { feed, refs } = followed;
  const pageEvents = round.pageEvents();
  const page = await readHistoryPage(deps.connection, deps.namespaces.of(feed.tenantId), cursor, {
    signal: round.signal,
    pageEvents,
    ...(round.hurried() ? { deadlineMs: HURRIED_DEADLINE_MS } : {}),
  });
  if (page.kind === 'not_found') return closeLost(deps, followed, cursor, request);
  if (page.kind === 'token_refused') return { ...cursor, token: null };
  if (page.events.length === 0 && !page.ended) return round.signal.aborted ? undefined : 'idle';

  const first = cursor.token === null ? ownTemporalRunId(page.events) : undefined;
  const temporalRunId = cursor.temporalRunId ?? first?.temporalRunId;
  if (temporalRunId === undefined) return 'idle';
  if (cursor.temporalRunId === null && first && first.chainStart !== temporalRunId)
    return { ...cursor, temporalRunId: first.chainStart, token: null };

  if (cursor.token === null) refs.clear();
  const events = await historyToEvents(page.events, refs, deps.decode);
  const late = round.backlog || page.events.length >= pageEvents;
  await store(deps, feed, { temporalRunId, events, token: page.token, ended: page.ended, late });
  if (!page.ended) {
    if (events.length < SHORT_PAGE_EVENTS) await pause(round.breathMs(), round.signal);
    return { ...cursor, temporalRunId, token: page.token };
  }
  followed.next = nextTemporalRunId(page.events);
  return followed.next === undefined ? undefined : { ...cursor, temporalRunId: followed.next, token: null };
}

type StoredPage = {
  temporalRunId: string;
  events: readonly FeedEvent[];
  token: Uint8Array | null;
  ended: boolean;
  late: boolean;
};

async function store({ writer }: FollowRunDeps, feed: RunFeed, page: StoredPage): Promise<void> {
  for (const event of page.events) {
    const migration = migrationOf(event);
    if (migration) await feed.definitions.read(migration.hash);
  }
  const outcome = await writer.write(feed, page);
  if (outcome === 'stale')
    throw new AppError('VERSION_CONFLICT', { streamId: feed.runId, expectedVersion: feed.link?.version });
}

/**
 * A history that Temporal has deleted before it was read to its end. Where a later link is known the feed goes on with that one;
 * where Temporal no longer knows the run at all, the run ends. Both leave an event of our own behind the last one read.
 */
async function closeLost(
  deps: FollowRunDeps,
  followed: FollowedRun,
  cursor: HistoryCursor,
  { runId, temporalRunId: later, gone = false }: FollowRequest,
): Promise<undefined> {
  const { feed } = followed;
  const { link } = feed;
  const superseded = later !== undefined && later !== cursor.temporalRunId;
  if (!superseded && !gone) {
    if (link) deps.log.warn({ runId }, 'the history of an open run is gone from Temporal');
    return;
  }
  const lost = cursor.temporalRunId ?? link?.temporalRunId ?? 'unknown';
  deps.log.error({ runId, temporalRunId: lost }, 'a history left Temporal before it was read to the end');
  deps.metrics.lost.inc();
  const version = link?.temporalRunId === lost ? link.version + 1 : 1;
  const event = superseded
    ? { type: 'history.lost', payload: { continuesIn: later } }
    : { type: 'run.terminated', payload: { reason: LOST } };
  const events = [{ version, occurredAt: new Date(), ...event }];
  followed.next = undefined;
  await store(deps, feed, { temporalRunId: lost, events, token: null, ended: true, late: false });
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

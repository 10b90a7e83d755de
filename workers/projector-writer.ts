import type pg from 'pg';
import { ChangedExecutions } from '../domain/events/changed-executions.ts';
import { type ChildRun, childRunOf } from '../domain/events/child-runs.ts';
import { followMigration, type RecordedMigration } from '../domain/events/follow-migration.ts';
import { foldStored, migrationOf, type RunFold } from '../domain/events/run-fold.ts';
import { runEventOf } from '../domain/events/run-event-of.ts';
import { type FeedEvent, type FeedPage, writeFeedPages } from '../adapters/postgres/feed-store.ts';
import type { RunFeed } from '../adapters/postgres/run-feed.ts';
import type { ProjectorMetrics } from './projector-metrics.ts';

/** Events read from one link of a run, beginning anywhere at or before the end of what is stored. */
export type ReadPage = {
  temporalRunId: string;
  events: readonly FeedEvent[];
  token: Uint8Array | null;
  ended: boolean;
  /** Part of what has piled up. */
  late: boolean;
};

export type WriteOutcome = 'written' | 'stale';
export type ProjectorWriter = {
  /** Resolves when the page is stored and `feed` has moved; `stale` when another writer was there first. */
  write(feed: RunFeed, page: ReadPage): Promise<WriteOutcome>;
  /** Resolves when nothing is left to write. */
  drained(): Promise<void>;
};

type Waiting = {
  feed: RunFeed;
  page: ReadPage;
  resolve: (outcome: WriteOutcome) => void;
  reject: (error: unknown) => void;
};

/** Told of every feed that has moved, and over which events. Must not wait. */
type Moved = (feed: RunFeed, events: readonly FeedEvent[]) => void;

const BATCH_EVENTS = 2_000;
/** A transaction costs about the same for one page as for ten. */
const GATHER_MS = 80;
/** So many are worth a transaction at once. */
const GATHERED_EVENTS = 500;

/**
 * Group commit: pages of other runs gather for the next transaction while one is under way, and until GATHER_MS after it began;
 * what has piled up does not wait. What happens now goes first; a late page comes along in each, so that the backlog moves
 * whatever happens.
 */
export function createProjectorWriter(
  pool: pg.Pool,
  metrics: ProjectorMetrics,
  moved: Moved = () => undefined,
): ProjectorWriter {
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | undefined;
  let began = -Infinity;
  let enough = Promise.withResolvers<void>();

  const isWorthIt = () =>
    waiting.some(({ page }) => page.late) ||
    waiting.reduce((sum, { page }) => sum + page.events.length, 0) >= GATHERED_EVENTS;
  const gathered = async () => {
    // Pages that arrive in the same turn of the event loop share the first transaction.
    await new Promise(setImmediate);
    const rest = began + GATHER_MS - performance.now();
    if (rest <= 0 || isWorthIt()) return;
    const timer = setTimeout(enough.resolve, rest);
    await enough.promise;
    clearTimeout(timer);
  };
  const takeBatch = (): Waiting[] => {
    const late = waiting.filter(({ page }) => page.late);
    const ordered = [...late.slice(0, 1), ...waiting.filter(({ page }) => !page.late), ...late.slice(1)];
    let events = 0;
    const end = ordered.findIndex(({ page }, index) => (events += page.events.length) > BATCH_EVENTS && index > 0);
    const batch = end < 0 ? ordered : ordered.slice(0, end);
    waiting = end < 0 ? [] : ordered.slice(end);
    return batch;
  };
  const flushAll = async () => {
    while (waiting.length > 0) {
      enough = Promise.withResolvers();
      await gathered();
      began = performance.now();
      await writeBatch(pool, metrics, takeBatch(), moved);
    }
    flushing = undefined;
  };
  return {
    write(feed, page) {
      return new Promise((resolve, reject) => {
        metrics.inFlight.inc(page.events.length);
        waiting.push({ feed, page, resolve, reject });
        if (isWorthIt()) enough.resolve();
        flushing ??= flushAll();
      }).finally(() => metrics.inFlight.dec(page.events.length)) as Promise<WriteOutcome>;
    },
    async drained() {
      enough.resolve();
      while (flushing) await flushing;
    },
  };
}

/** One bad page must not hold up the others: when a batch fails, each is tried by itself. */
async function writeBatch(
  pool: pg.Pool,
  metrics: ProjectorMetrics,
  batch: readonly Waiting[],
  moved: Moved,
): Promise<void> {
  try {
    const pages = batch.map(({ feed, page }) => foldPage(feed, page));
    const stale = await writeFeedPages(pool, pages);
    batch.forEach((entry, index) => settle(entry, pages[index] as FoldedPage, stale.has(entry.feed.runId)));
    batch.forEach(({ feed, page }, index) => {
      const written = pages[index] as FoldedPage;
      if (stale.has(written.runId)) return;
      observe(metrics, written, page.late ? 'backlog' : 'live');
      moved(feed, written.events);
    });
    metrics.batchEvents.observe(pages.reduce((sum, { events }) => sum + events.length, 0));
  } catch (error) {
    metrics.failures.inc();
    if (batch.length === 1) (batch[0] as Waiting).reject(error);
    else for (const entry of batch) await writeBatch(pool, metrics, [entry], moved);
  }
}

/** With the definition that the run has after it. */
type FoldedPage = FeedPage & RunFold;

/** Drops what is stored already and folds the rest. */
function foldPage(feed: RunFeed, page: ReadPage): FoldedPage {
  const { link } = feed;
  const sameLink = link?.temporalRunId === page.temporalRunId;
  const expectedVersion = sameLink ? link.version : 0;
  const sequenceBase = sameLink ? link.sequenceBase : link === null ? 0 : link.sequenceBase + link.version;
  const events = page.events.filter((event) => event.version > expectedVersion);
  let fold: RunFold = { compiled: feed.compiled, state: feed.state };
  const changed = new ChangedExecutions(feed.compiled, link === null ? null : feed.state, feed.state);
  const migrations: RecordedMigration[] = [];
  const children: ChildRun[] = [];
  for (const event of events) {
    const before = fold;
    fold = foldStored(fold, event, feed.definitions.known);
    const migration = migrationOf(event);
    if (migration) migrations.push(followMigration(changed, before, fold, migration));
    else changed.folded(fold.state);
    const folded = runEventOf(event);
    const child = folded && childRunOf(feed.runId, fold.compiled, fold.state, folded);
    if (child) children.push(child);
  }
  const changedNodes = changed.all();
  const { runId, tenantId, subject } = feed;
  const { temporalRunId, token, ended } = page;
  return {
    runId,
    tenantId,
    subject,
    temporalRunId,
    sequenceBase,
    expectedVersion,
    events,
    token,
    ended,
    ...fold,
    migrations,
    changedNodes,
    children,
  };
}

function settle(entry: Waiting, page: FoldedPage, stale: boolean): void {
  if (!stale) {
    entry.feed.compiled = page.compiled;
    entry.feed.state = page.state;
    entry.feed.link = {
      temporalRunId: page.temporalRunId,
      sequenceBase: page.sequenceBase,
      version: page.events.at(-1)?.version ?? page.expectedVersion,
      token: page.token,
      ended: page.ended,
    };
  }
  entry.resolve(stale ? 'stale' : 'written');
}

function observe(metrics: ProjectorMetrics, { events }: FeedPage, lane: 'live' | 'backlog'): void {
  const now = Date.now();
  metrics.pages.inc();
  metrics.events.inc({ lane }, events.length);
  for (const event of events) metrics.lag.observe({ lane }, Math.max(0, now - event.occurredAt.getTime()));
}

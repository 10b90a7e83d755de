import type pg from 'pg';
import type { ChangedExecution } from '../../domain/events/changed-executions.ts';
import type { ChildRun } from '../../domain/events/child-runs.ts';
import type { RecordedMigration } from '../../domain/events/follow-migration.ts';
import type { Json } from '../../domain/json.ts';
import type { RunState } from '../../domain/runs/run-state.ts';
import { type ChildRow, childRow, insertChildRuns } from './child-runs.ts';
import { sealValues, type ValueKey } from '../encryption/sealed-values.ts';
import { keysOfSubjects } from './erasure-keys.ts';
import { chainStart } from './event-chain.ts';
import { insertFeedEvents } from './insert-events.ts';
import { payloadText, type SpilledValues, spilledValues } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';
import { migrateRows } from './migrate-rows.ts';
import { type NodeRow, nodeRow, type RunRow, runRow, updateRunRows, upsertNodeRows } from './read-models.ts';
import { releaseLeases } from './release-leases.ts';
import { inTransaction } from './transaction.ts';

export type FeedEvent = { version: number; type: string; occurredAt: Date; payload: Json };

/** What a page of one link of a run changes; written with those of other runs in one transaction. */
export type FeedPage = {
  tenantId: string;
  /** Whose values the events hold; they are sealed with its key. */
  subject?: string | null;
  runId: string;
  temporalRunId: string;
  sequenceBase: number;
  /** The link's version that `events` come after. */
  expectedVersion: number;
  events: readonly FeedEvent[];
  token: Uint8Array | null;
  ended: boolean;
  state: RunState;
  /** Changes of the version among these events. */
  migrations?: readonly RecordedMigration[];
  changedNodes: readonly ChangedExecution[];
  /** Runs that these events started. */
  children: readonly ChildRun[];
};

export function runStreamId(runId: string, temporalRunId: string): string {
  return `run/${runId}/${temporalRunId}`;
}

/**
 * Writes events, read models and cursors together. Returns the run ids of pages that were not written because the link is no
 * longer at the expected version. Not waiting for the disk is safe here alone: the feed can be read again from Temporal.
 */
export async function writeFeedPages(pool: pg.Pool, pages: readonly FeedPage[]): Promise<ReadonlySet<string>> {
  const spilled = spilledValues(pool);
  const keyOf = await keysOfSubjects(pool, pages);
  const rows = new Map(pages.map((page) => [page, rowsOf(page, spilled, keyOf(page))]));
  await createPayloadStore(pool).put(spilled);
  return inTransaction(
    pool,
    async (client) => {
      const keys = await moveStreams(client, pages, (page) => keyOf(page) !== undefined);
      const written = pages.filter((page) => keys.has(page));
      for (const [tenantId, group] of Map.groupBy(sorted(written), (page) => page.tenantId)) {
        const streams = group.map((page) => ({
          ...(keys.get(page) as MovedStream),
          events: page.events,
          payloads: (rows.get(page) as PageRows).payloads,
        }));
        await insertFeedEvents(client, tenantId, streams);
      }
      const writtenRows = written.map((page) => rows.get(page) as PageRows);
      for (const page of written) {
        for (const migration of page.migrations ?? []) await migrateRows(client, page.runId, migration);
      }
      await upsertNodeRows(
        client,
        writtenRows.flatMap(({ nodes }) => nodes),
      );
      await updateRunRows(
        client,
        writtenRows.map(({ run }) => run),
        undefined,
        messagesOf(written.filter((page) => page.events.length > 0).map((page) => page.runId)),
      );
      await releaseLeases(
        client,
        written.filter(({ state }) => state.closedAt !== null).map(({ runId }) => runId),
      );
      await insertChildRuns(
        client,
        writtenRows.flatMap(({ children }) => children),
      );
      return new Set(pages.filter((page) => !keys.has(page)).map((page) => page.runId));
    },
    'BEGIN; SET LOCAL synchronous_commit = off',
  );
}

type PageRows = { payloads: string[]; nodes: NodeRow[]; run: RunRow; children: ChildRow[] };

function rowsOf(page: FeedPage, spilled: SpilledValues, key: ValueKey | undefined): PageRows {
  return {
    payloads: page.events.map(({ payload }) => payloadText(key ? sealValues(payload, key) : payload, spilled)),
    nodes: page.changedNodes.map((changed) =>
      nodeRow({ tenantId: page.tenantId, runId: page.runId, ...changed }, spilled),
    ),
    run: runRow(runChange(page), spilled),
    children: page.children.map((child) => childRow(page.runId, child, spilled)),
  };
}

const runChange = (page: FeedPage) => ({
  runId: page.runId,
  temporalRunId: page.temporalRunId,
  eventCount: page.sequenceBase + (page.events.at(-1)?.version ?? page.expectedVersion),
  state: page.state,
});

const streamIdOf = (page: FeedPage): string => runStreamId(page.runId, page.temporalRunId);

function sorted(pages: readonly FeedPage[]): FeedPage[] {
  const placed = pages.map((page) => ({ page, order: `${page.tenantId}\0${streamIdOf(page)}` }));
  return placed.sort((left, right) => (left.order < right.order ? -1 : 1)).map(({ page }) => page);
}

/** `head`: the link that the next event of the stream follows. */
type MovedStream = { streamKey: bigint; head: string };

/** Locks the stream rows in order and moves those that are where their page expects them. */
async function moveStreams(
  client: pg.PoolClient,
  pages: readonly FeedPage[],
  isSealed: (page: FeedPage) => boolean,
): Promise<Map<FeedPage, MovedStream>> {
  const ordered = sorted(pages);
  const fresh = ordered.filter((page) => page.expectedVersion === 0);
  if (fresh.length > 0) {
    await client.query({
      name: 'open-feed-streams',
      text: `INSERT INTO event_streams (tenant_id, stream_id, run_id, temporal_run_id, sequence_base, first_event_at, sealed)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::timestamptz[], $7::bool[])
             ON CONFLICT DO NOTHING`,
      values: [
        fresh.map((page) => page.tenantId),
        fresh.map(streamIdOf),
        fresh.map((page) => page.runId),
        fresh.map((page) => page.temporalRunId),
        fresh.map((page) => page.sequenceBase),
        fresh.map((page) => page.events[0]?.occurredAt ?? null),
        fresh.map(isSealed),
      ],
    });
  }
  const { rows } = await client.query<{ ordinal: bigint; stream_key: bigint; head: string | null }>({
    name: 'move-feed-streams',
    text: `WITH page AS (
             SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bytea[], $6::bool[]) WITH ORDINALITY
               AS page(tenant_id, stream_id, expected, version, token, closed, ordinal)
           ), locked AS (
             SELECT stream.stream_key, page.* FROM event_streams stream JOIN page USING (tenant_id, stream_id)
             ORDER BY stream.tenant_id, stream.stream_id FOR UPDATE OF stream
           )
           UPDATE event_streams stream
           SET version = locked.version, next_page_token = locked.token, closed = locked.closed, progressed_at = now()
           FROM locked WHERE stream.stream_key = locked.stream_key AND stream.version = locked.expected
           RETURNING locked.ordinal, stream.stream_key, encode(stream.head_hash, 'hex') AS head`,
    values: [
      ordered.map((page) => page.tenantId),
      ordered.map(streamIdOf),
      ordered.map((page) => page.expectedVersion),
      ordered.map((page) => page.events.at(-1)?.version ?? page.expectedVersion),
      ordered.map((page) => (page.token === null ? null : Buffer.from(page.token))),
      ordered.map((page) => page.ended),
    ],
  });
  return new Map(
    rows.map(({ ordinal, stream_key, head }) => {
      const page = ordered[Number(ordinal) - 1] as FeedPage;
      return [page, { streamKey: stream_key, head: head ?? chainStart(page.tenantId, streamIdOf(page)) }];
    }),
  );
}

const NOTIFY_BYTES = 7_000;

/** Run ids parted by spaces: few messages, as every NOTIFY takes a lock of the whole database when it commits. */
function messagesOf(runIds: readonly string[]): string[] {
  const messages: string[] = [];
  for (const runId of runIds) {
    const last = messages.at(-1);
    if (last === undefined || last.length + runId.length > NOTIFY_BYTES) messages.push(runId);
    else messages[messages.length - 1] = `${last} ${runId}`;
  }
  return messages;
}

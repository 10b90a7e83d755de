import type pg from 'pg';
import type { NewEvent, StoredEvent } from '../../domain/events/stored-event.ts';
import { AppError } from '../../domain/errors.ts';
import { chainStart } from './event-chain.ts';
import { EVENT_COLUMNS, type EventRow, type RunStoredEvent, storedEvents } from './event-rows.ts';
import { insertStreamEvents } from './insert-events.ts';
import { byPosition, readArchivedPart, readArchivedRun } from './read-archived.ts';
import { payloadText, spilledValues } from './large-values.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';
import { inTransaction } from './transaction.ts';

export type { RunStoredEvent } from './event-rows.ts';

export type Append = {
  tenantId: string;
  streamId: string;
  /** The stream's version before the append; 0 for a new stream. */
  expectedVersion: number | 'any';
  events: readonly NewEvent[];
};
/** `position` and `version` are those of the last event; `appended` is 0 when all were stored before. */
export type Appended = { version: number; position: bigint; appended: number };

/**
 * Appends all or nothing. An append that is in the stream already, event for event by id, is not made again.
 * @throws VERSION_CONFLICT
 */
export async function appendEvents(pool: pg.Pool, append: Append): Promise<Appended> {
  return inTransaction(pool, (client) => appendWithin(client, append));
}

/** As appendEvents, as a part of the caller's transaction. Nothing may take a lock after it: the tenant's other writers wait. */
export async function appendWithin(client: pg.PoolClient, append: Append): Promise<Appended> {
  if (append.events.length === 0) throw new AppError('INPUT_INVALID', { detail: 'an append needs at least one event' });
  const spilled = spilledValues(client);
  const payloads = append.events.map((event) => payloadText(event.payload, spilled));
  await createPayloadStore(client).put(spilled);
  const stream = await advanceStream(client, append);
  if (stream === undefined || append.expectedVersion === 'any') {
    const earlier = await findEarlierAppend(client, append);
    if (earlier && stream) await stepBack(client, stream, append.events.length);
    if (earlier) return earlier;
  }
  if (stream === undefined) throw await versionConflict(client, append);
  return insertAt(client, append, payloads, stream);
}

/** `head` is the link of the last event before the append; null for a new stream. */
type StreamRow = { stream_key: bigint; version: number; head: string | null };

/** Locks the stream's row and moves its version; undefined when it is not the expected one. */
async function advanceStream(client: pg.PoolClient, append: Append): Promise<StreamRow | undefined> {
  const { tenantId, streamId, expectedVersion, events } = append;
  const { rows } = await client.query<StreamRow>({
    name: 'advance-stream',
    text: `INSERT INTO event_streams AS stream (tenant_id, stream_id, version, first_event_at)
           SELECT $1, $2, $3, $5 WHERE $4::int IS NULL OR $4 = 0
              OR EXISTS (SELECT FROM event_streams WHERE tenant_id = $1 AND stream_id = $2)
           ON CONFLICT (tenant_id, stream_id) DO UPDATE SET version = stream.version + $3, progressed_at = now()
           WHERE $4 IS NULL OR stream.version = $4
           RETURNING stream_key, version, encode(head_hash, 'hex') AS head`,
    values: [
      tenantId,
      streamId,
      events.length,
      expectedVersion === 'any' ? null : expectedVersion,
      events[0]?.occurredAt,
    ],
  });
  return rows[0];
}

async function stepBack(client: pg.PoolClient, { stream_key }: StreamRow, steps: number): Promise<void> {
  await client.query('UPDATE event_streams SET version = version - $2 WHERE stream_key = $1', [stream_key, steps]);
}

async function insertAt(
  client: pg.PoolClient,
  { tenantId, streamId, events }: Append,
  payloads: readonly string[],
  stream: StreamRow,
): Promise<Appended> {
  const position = await insertStreamEvents(client, tenantId, [
    {
      streamKey: stream.stream_key,
      firstVersion: stream.version - events.length + 1,
      head: stream.head ?? chainStart(tenantId, streamId),
      events,
      payloads,
    },
  ]);
  return { version: stream.version, position, appended: events.length };
}

/**
 * A repeated append finds its own events where it would have put them; without an expected version the whole stream is looked
 * through. An index on event ids would answer at once, and cost every append a third of its speed.
 */
async function findEarlierAppend(client: pg.PoolClient, append: Append): Promise<Appended | undefined> {
  const { tenantId, streamId, expectedVersion, events } = append;
  const from = expectedVersion === 'any' ? 0 : expectedVersion;
  const { rows } = await client.query<{ found: number; version: number; position: bigint }>(
    `SELECT count(*)::int AS found, max(event.version) AS version, max(event.position) AS position
     FROM event_streams stream JOIN events event USING (stream_key)
     WHERE stream.tenant_id = $1 AND stream.stream_id = $2 AND event.event_id = ANY($3)
       AND event.version > $4 AND ($5::int IS NULL OR event.version <= $5)`,
    [
      tenantId,
      streamId,
      events.map((event) => event.eventId),
      from,
      expectedVersion === 'any' ? null : from + events.length,
    ],
  );
  const row = rows[0];
  if (!row || row.found < events.length) return undefined;
  return { version: row.version, position: row.position, appended: 0 };
}

async function versionConflict(
  client: pg.PoolClient,
  { tenantId, streamId, expectedVersion }: Append,
): Promise<AppError> {
  const { rows } = await client.query<{ version: number }>(
    'SELECT version FROM event_streams WHERE tenant_id = $1 AND stream_id = $2',
    [tenantId, streamId],
  );
  return new AppError('VERSION_CONFLICT', { streamId, expectedVersion, actualVersion: rows[0]?.version ?? 0 });
}

const EVENTS = 'events event JOIN event_streams stream USING (stream_key)';
/** So that of each link only what a page can hold is read, in the order of its key. */
const EVENTS_BY_LINK = `event_streams stream CROSS JOIN LATERAL (
  SELECT * FROM events WHERE events.stream_key = stream.stream_key AND events.version > $2::bigint - stream.sequence_base
  ORDER BY events.version LIMIT $3) event`;

/** The events of a run after the given sequence, in order, wherever they are. */
export async function readRunEvents(
  pool: Queryable,
  runId: string,
  { after = 0, first }: { after?: number; first: number },
): Promise<RunStoredEvent[]> {
  const rows = await readWhere(
    pool,
    'stream.run_id = $1 AND stream.sequence_base < $2::bigint + $3',
    'sequence',
    [runId, after, first],
    EVENTS_BY_LINK,
  );
  if (rows[0]?.sequence === after + 1) return storedEvents(pool, rows);
  const archived = await readArchivedRun(pool, runId, { after, first });
  if (archived.length === 0) return storedEvents(pool, rows);
  const all = [...archived, ...rows].sort((left, right) => left.sequence - right.sequence);
  return storedEvents(pool, all.slice(0, first));
}

/** The events of a stream after a version, wherever they are. */
export async function readStream(
  pool: Queryable,
  { tenantId, streamId, after = 0, first }: { tenantId: string; streamId: string; after?: number; first: number },
): Promise<StoredEvent[]> {
  const condition = 'stream.tenant_id = $1 AND stream.stream_id = $4 AND event.version > $2';
  const rows = await readWhere(pool, condition, 'event.version', [tenantId, after, first, streamId]);
  const runId = runOfStream(streamId);
  if (runId === null || rows[0]?.version === after + 1) return storedEvents(pool, rows);
  const archived = await readArchivedRun(pool, runId, { after: 0, first: Infinity });
  const own = archived.filter((row) => row.tenant_id === tenantId && row.stream_id === streamId && row.version > after);
  return storedEvents(pool, [...own, ...rows].slice(0, first));
}

/** Of `run/<run id>/<Temporal run id>`: the run id, which may have slashes itself. */
export function runOfStream(streamId: string): string | null {
  return /^run\/(.+)\/[^/]+$/s.exec(streamId)?.[1] ?? null;
}

/** All events of a tenant after a position: dense, in commit order, safe to use as the only cursor. */
export async function readTenantEvents(
  pool: Queryable,
  { tenantId, after, first }: { tenantId: string; after: bigint; first: number },
): Promise<StoredEvent[]> {
  return readEventPart(pool, { tenantId, after, upTo: LAST, first, partition: 0, partitions: 1, types: null });
}

const LAST = 2n ** 63n - 1n;

export type EventPart = {
  tenantId: string;
  after: bigint;
  upTo: bigint;
  first: number;
  /** Of so many parts, by the hash of the stream: a stream is in one part as a whole. */
  partition: number;
  partitions: number;
  /** Null: all. */
  types: readonly string[] | null;
};

/** As readTenantEvents, of one part of the streams, up to a position. What is archived is among them. */
export async function readEventPart(pool: Queryable, part: EventPart): Promise<StoredEvent[]> {
  const rows = await readWhere(
    pool,
    `event.tenant_id = $1 AND event.position > $2 AND event.position <= $4
     AND (hashint8(event.stream_key) & 2147483647) % $5 = $6 AND ($7::text[] IS NULL OR event.type = ANY($7))`,
    'event.position',
    [part.tenantId, part.after, part.first, part.upTo, part.partitions, part.partition, part.types],
  );
  const upTo = rows.length < part.first ? part.upTo : (rows.at(-1) as EventRow).position;
  const archived = await readArchivedPart(pool, { ...part, upTo });
  if (archived.length === 0) return storedEvents(pool, rows);
  return storedEvents(pool, [...archived, ...rows].sort(byPosition).slice(0, part.first));
}

async function readWhere(
  pool: Queryable,
  condition: string,
  order: string,
  values: unknown[],
  source = EVENTS,
): Promise<EventRow[]> {
  const { rows } = await pool.query<EventRow>(
    `SELECT ${EVENT_COLUMNS} FROM ${source} WHERE ${condition} ORDER BY ${order} LIMIT $3`,
    values,
  );
  return rows;
}

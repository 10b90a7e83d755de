import { type EventFilter, matchesFilter } from '../../domain/events/event-filter.ts';
import type { StoredEvent } from '../../domain/events/stored-event.ts';
import { SYSTEM_EVENTS } from '../../domain/events/system-event.ts';
import { EVENT_COLUMNS, type EventRow, storedEvents } from './event-rows.ts';
import { BLOCK_POSITIONS } from './insert-events.ts';
import { runOfStream } from './event-store.ts';
import type { Queryable } from './payload-store.ts';
import { readArchivedRange } from './read-archived-range.ts';

export type EventListing = {
  tenantId: string;
  filter: EventFilter;
  /** The position that the page comes after, or before where the newest come first. */
  after?: bigint | undefined;
  first: number;
  newestFirst?: boolean;
};

const MOST_BLOCKS = 256;

/** `upTo`: every event in the range up to here is in the page, or one with a position below the last of a full page. */
export type EventPage = { events: StoredEvent[]; upTo: bigint };

/** As readEventPage. */
export async function readEvents(db: Queryable, listing: EventListing): Promise<StoredEvent[]> {
  return (await readEventPage(db, listing)).events;
}

/**
 * Events of a tenant in the order of their positions. A stream or a correlation id is read by itself; types are looked for in the
 * blocks that have them; without any of these every event in the range is looked at.
 */
export async function readEventPage(db: Queryable, listing: EventListing): Promise<EventPage> {
  const { tenantId, filter, first, newestFirst = false } = listing;
  const range = await rangeOf(db, listing);
  if (range.after >= range.upTo) return { events: [], upTo: range.upTo };
  const query = { db, tenantId, filter, first, newestFirst, ...range };
  const rows = await readRange(query);
  return { events: await storedEvents(db, await withArchived(query, rows)), upTo: range.upTo };
}

/** The same with events of closed runs that are in an archive. An event that is moved there meanwhile may be in both. */
async function withArchived(query: Query, rows: EventRow[]): Promise<EventRow[]> {
  const { db, filter, first, newestFirst } = query;
  const { streamId, correlationId, types } = filter;
  const runId = streamId === undefined ? (correlationId ?? null) : runOfStream(streamId);
  if (streamId !== undefined && runId === null) return rows;
  if (types?.every(isSystemType)) return rows;
  const last = rows.length < first ? undefined : rows.at(-1)?.position;
  const rest = last === undefined ? {} : newestFirst ? { after: last } : { upTo: last };
  const archived = await readArchivedRange(db, { ...query, ...rest, runId, matches: (row) => matches(filter, row) });
  if (archived.length === 0) return rows;
  const all = [...new Map([...rows, ...archived].map((row) => [row.position, row])).values()];
  const sign = newestFirst ? -1 : 1;
  return all.sort((left, right) => (left.position < right.position ? -sign : sign)).slice(0, first);
}

const SYSTEM_KINDS = new Set(Object.keys(SYSTEM_EVENTS).map((type) => type.split('.')[0] as string));
const isSystemType = (type: string): boolean => SYSTEM_KINDS.has(type.split('.')[0] as string);

function matches(filter: EventFilter, row: EventRow): boolean {
  const { recordedFrom, recordedBefore } = filter;
  if (recordedFrom && row.recorded_at < recordedFrom) return false;
  if (recordedBefore && row.recorded_at >= recordedBefore) return false;
  return matchesFilter(filter, { type: row.type, correlationId: row.correlation_id, streamId: row.stream_id });
}

async function readRange(query: Query): Promise<EventRow[]> {
  const { streamId, correlationId, types } = query.filter;
  if (streamId !== undefined) return readRows(query, ofStream, [streamId]);
  if (correlationId !== undefined) return readRows(query, ofCorrelation, [correlationId]);
  return types === undefined ? readRows(query, ofTenant) : readByBlocks(query);
}

/** What an event must be, and the direction. Each source reads in the order of an index and stops at the size of a page. */
type Source = (wanted: string, order: string) => string;

const ofTenant: Source = (wanted, order) =>
  `SELECT * FROM events WHERE ${wanted} ORDER BY events.position ${order} LIMIT $7`;

/** `+ 0`, so that the planner takes the stream's own key and not the positions of the whole tenant. */
const ofStreams = (chosen: string, wanted: string, order: string): string =>
  `SELECT one.* FROM event_streams CROSS JOIN LATERAL (
     SELECT * FROM events WHERE events.stream_key = event_streams.stream_key
       AND ${wanted.replaceAll('events.position', 'events.position + 0')}
     ORDER BY events.version ${order} LIMIT $7
   ) one WHERE event_streams.tenant_id = $1 AND ${chosen}`;

const inBlocks = (blocks: string, wanted: string, order: string): string =>
  `SELECT one.* FROM ${blocks} AS given(block) CROSS JOIN LATERAL (
     SELECT * FROM events WHERE ${wanted} AND events.position > given.block * ${BLOCK_POSITIONS}
       AND events.position <= (given.block + 1) * ${BLOCK_POSITIONS}
     ORDER BY events.position ${order} LIMIT $7
   ) one`;

const ofStream: Source = (wanted, order) => ofStreams('event_streams.stream_id = $8', wanted, order);

/** Events of the run with this id, which have no correlation of their own, and those that name it. */
const ofCorrelation: Source = (wanted, order) =>
  `(${ofStreams('event_streams.run_id = $8', `${wanted} AND events.correlation_id IS NULL`, order)})
   UNION ALL
   (${inBlocks(
     `(SELECT block FROM event_blocks WHERE tenant_id = $1 AND kind = 'correlation' AND key = $8)`,
     `${wanted} AND events.correlation_id = $8`,
     order,
   )})`;

const ofBlocks: Source = (wanted, order) => inBlocks('unnest($8::bigint[])', wanted, order);

/** The last position that was given out: every event up to it is committed. */
export async function readHead(db: Queryable, tenantId: string): Promise<bigint> {
  const { rows } = await db.query<{ head: bigint }>('SELECT head FROM tenant_heads WHERE tenant_id = $1', [tenantId]);
  return rows[0]?.head ?? 0n;
}

type Range = { after: bigint; upTo: bigint };
type Query = Range & {
  db: Queryable;
  tenantId: string;
  filter: EventFilter;
  first: number;
  newestFirst: boolean;
};

async function rangeOf(db: Queryable, { tenantId, filter, after, newestFirst }: EventListing): Promise<Range> {
  const head = await readHead(db, tenantId);
  const [low, high] = newestFirst ? [0n, after === undefined ? head : after - 1n] : [after ?? 0n, head];
  const { recordedFrom, recordedBefore } = filter;
  const from = recordedFrom ? await lastBefore(db, tenantId, recordedFrom) : 0n;
  const to = recordedBefore ? await lastPossible(db, tenantId, recordedBefore) : head;
  return { after: low > from ? low : from, upTo: high < to ? high : to };
}

/** The last position before a moment, halving the range each time: times of recording rise with positions. */
async function lastBefore(db: Queryable, tenantId: string, moment: Date): Promise<bigint> {
  const { rows } = await db.query<{ low: bigint }>(
    `WITH RECURSIVE search(low, high) AS (
       SELECT 0::bigint, head FROM tenant_heads WHERE tenant_id = $1
       UNION ALL
       SELECT CASE WHEN before THEN middle ELSE low END, CASE WHEN before THEN high ELSE middle - 1 END
       FROM search, LATERAL (SELECT (low + high + 1) / 2 AS middle) half, LATERAL (SELECT coalesce((
         SELECT recorded_at < $2 FROM events WHERE tenant_id = $1 AND position >= middle ORDER BY position LIMIT 1
       ), false) AS before) probe
       WHERE low < high
     ) SELECT low FROM search WHERE low = high LIMIT 1`,
    [tenantId, moment],
  );
  return rows[0]?.low ?? 0n;
}

/** Up to the event that is the first in the table at or after the moment: what lies between is in an archive, or nowhere. */
async function lastPossible(db: Queryable, tenantId: string, moment: Date): Promise<bigint> {
  const before = await lastBefore(db, tenantId, moment);
  const { rows } = await db.query<{ last: bigint }>(
    `SELECT coalesce((SELECT position - 1 FROM events WHERE tenant_id = $1 AND position > $2 ORDER BY position LIMIT 1),
                     (SELECT head FROM tenant_heads WHERE tenant_id = $1)) AS last`,
    [tenantId, before],
  );
  return rows[0]?.last ?? before;
}

async function readRows(
  { db, tenantId, filter, after, upTo, first, newestFirst }: Query,
  source: Source,
  values: readonly unknown[] = [],
): Promise<EventRow[]> {
  const { names, prefixes } = patternsOf(filter);
  const given = [tenantId, after, upTo, names, prefixes, withoutOf(filter), first, ...values];
  // Written out only where they are asked for, so that the planner leaves out partitions.
  const times = [
    ...(filter.recordedFrom ? [`AND events.recorded_at >= $${given.push(filter.recordedFrom)}`] : []),
    ...(filter.recordedBefore ? [`AND events.recorded_at < $${given.push(filter.recordedBefore)}`] : []),
  ].join(' ');
  const wanted = `events.tenant_id = $1 AND events.position > $2 AND events.position <= $3
    AND ($4::text[] IS NULL OR events.type = ANY($4) OR events.type LIKE ANY($5)) AND NOT events.type LIKE ANY($6) ${times}`;
  const order = newestFirst ? 'DESC' : 'ASC';
  const { rows } = await db.query<EventRow>(
    `SELECT ${EVENT_COLUMNS} FROM (${source(wanted, order)}) event JOIN event_streams stream USING (stream_key)
     ORDER BY event.position ${order} LIMIT $7`,
    given,
  );
  return rows;
}

/** More blocks each time, as few events of the wanted types are in those read so far. */
async function readByBlocks(query: Query): Promise<EventRow[]> {
  const found: EventRow[] = [];
  let { after, upTo } = query;
  for (let most = 4; ; most = Math.min(most * 4, MOST_BLOCKS)) {
    const blocks = await blocksWith({ ...query, after, upTo }, most);
    if (blocks.length === 0) return found;
    const first = query.first - found.length;
    found.push(...(await readRows({ ...query, after, upTo, first }, ofBlocks, [blocks])));
    if (found.length >= query.first || blocks.length < most) return found;
    const last = blocks.at(-1) as bigint;
    if (query.newestFirst) upTo = last * BigInt(BLOCK_POSITIONS);
    else after = (last + 1n) * BigInt(BLOCK_POSITIONS);
  }
}

async function blocksWith({ db, tenantId, filter, after, upTo, newestFirst }: Query, most: number): Promise<bigint[]> {
  const { names, prefixes } = patternsOf(filter);
  const { rows } = await db.query<{ block: bigint }>(
    `SELECT DISTINCT block FROM event_blocks
     WHERE tenant_id = $1 AND kind = 'type' AND (key = ANY($2) OR key LIKE ANY($3))
       AND block BETWEEN $4::bigint / ${BLOCK_POSITIONS} AND ($5::bigint - 1) / ${BLOCK_POSITIONS}
     ORDER BY block ${newestFirst ? 'DESC' : ''} LIMIT $6`,
    [tenantId, names, prefixes, after, upTo, most],
  );
  return rows.map(({ block }) => block);
}

function patternsOf({ types }: EventFilter): { names: string[] | null; prefixes: string[] } {
  if (types === undefined) return { names: null, prefixes: [] };
  const kinds = types.filter((type) => type.endsWith('.*'));
  return { names: types.filter((type) => !type.endsWith('.*')), prefixes: kinds.map(prefixOf) };
}

const withoutOf = ({ withoutKinds = [] }: EventFilter): string[] => withoutKinds.map((kind) => prefixOf(`${kind}.*`));

/** `_` in a name stands for itself. */
const prefixOf = (pattern: string): string => `${pattern.slice(0, -1).replaceAll('_', '\\_')}%`;

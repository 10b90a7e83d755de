import type pg from 'pg';
import type { NewEvent } from '../../domain/events/stored-event.ts';
import { bytesArray, int4Array, int8Array, jsonArray, textArray, timestampArray } from './binary-array.ts';
import { microseconds, nextLink, payloadDigest } from './event-chain.ts';

type Stream = {
  streamKey: bigint;
  /** The link of the event before the first of these. */
  head: string;
  /** JSON texts of the events' payloads. */
  payloads: readonly string[];
};
/** Events of one stream, with versions from `firstVersion` on. */
export type StreamEvents = Stream & { firstVersion: number; events: readonly NewEvent[] };

/** Run events of a stream. Their ids and correlation follow from stream and version. */
export type FeedEvents = Stream & { events: readonly { version: number; type: string; occurredAt: Date }[] };

/**
 * Both functions take the tenant's head row, which every writer of the tenant waits for, and insert at once: positions are
 * dense and in commit order. Whoever calls holds the locks of the stream rows already. They return the last position.
 */
export async function insertStreamEvents(
  client: pg.PoolClient,
  tenantId: string,
  streams: readonly StreamEvents[],
): Promise<bigint> {
  const digests = streams.map(({ payloads }) => payloads.map(payloadDigest));
  const total = streams.reduce((sum, { events }) => sum + events.length, 0);
  const tenant = await takeHead(client, tenantId, total);
  let before = tenant.before;
  for (const [index, stream] of streams.entries()) {
    await insertOneStream(client, tenantId, stream, { ...tenant, before, digests: digests[index] as string[] });
    before += BigInt(stream.events.length);
  }
  return before;
}

async function insertOneStream(
  client: pg.PoolClient,
  tenantId: string,
  { streamKey, head, firstVersion, events, payloads }: StreamEvents,
  place: { before: bigint; recordedAt: Date; digests: readonly string[] },
): Promise<void> {
  const recordedAt = microseconds(place.recordedAt);
  let link = head;
  const links = events.map((event, index) => {
    const occurredAt = microseconds(event.occurredAt);
    const at = { version: firstVersion + index, position: place.before + BigInt(index + 1) };
    const { type, schemaVersion, eventId, correlationId, causationId } = event;
    const fields = { ...at, type, schemaVersion, occurredAt, recordedAt, eventId, correlationId, causationId };
    link = nextLink(link, fields, place.digests[index] as string);
    return link;
  });
  await client.query({
    name: 'insert-stream-events',
    text: STREAM_STATEMENT,
    values: [
      tenantId,
      place.before,
      place.recordedAt,
      streamKey,
      firstVersion - 1,
      textArray(events.map((event) => event.type)),
      jsonArray(payloads),
      timestampArray(events.map((event) => event.occurredAt)),
      int4Array(events.map((event) => event.schemaVersion)),
      textArray(events.map((event) => event.eventId)),
      textArray(events.map((event) => event.correlationId)),
      textArray(events.map((event) => event.causationId)),
      bytesArray(links),
      Buffer.from(link, 'hex'),
      firstVersion + events.length - 1,
      ...blockArrays(place.before, events),
    ],
  });
}

export async function insertFeedEvents(
  client: pg.PoolClient,
  tenantId: string,
  streams: readonly FeedEvents[],
): Promise<void> {
  const filled = streams.filter(({ events }) => events.length > 0);
  const rows = filled.flatMap((stream, index) =>
    stream.events.map(({ version, type, occurredAt }, at) => {
      const payload = stream.payloads[at] as string;
      return { stream: index, version, type, occurredAt, payload, digest: payloadDigest(payload) };
    }),
  );
  if (rows.length === 0) return;
  const tenant = await takeHead(client, tenantId, rows.length);
  const recordedAt = microseconds(tenant.recordedAt);
  const heads = filled.map(({ head }) => head);
  const links = rows.map(({ stream, version, type, occurredAt, digest }, index) => {
    const place = { version, position: tenant.before + BigInt(index + 1) };
    const times = { occurredAt: microseconds(occurredAt), recordedAt };
    const fields = {
      ...place,
      type,
      schemaVersion: 1,
      ...times,
      eventId: null,
      correlationId: null,
      causationId: null,
    };
    const link = nextLink(heads[stream] as string, fields, digest);
    heads[stream] = link;
    return link;
  });
  const keys = filled.map(({ streamKey }) => streamKey);
  await client.query({
    name: 'insert-feed-events',
    text: FEED_STATEMENT,
    values: [
      tenantId,
      tenant.before,
      tenant.recordedAt,
      int8Array(rows.map(({ stream }) => keys[stream] as bigint)),
      int4Array(rows.map(({ version }) => version)),
      textArray(rows.map(({ type }) => type)),
      jsonArray(rows.map(({ payload }) => payload)),
      timestampArray(rows.map(({ occurredAt }) => occurredAt)),
      bytesArray(links),
      int8Array(keys),
      bytesArray(heads),
      ...blockArrays(tenant.before, rows),
    ],
  });
}

/**
 * Where events of a type or of a correlation id are: in which blocks of so many positions. Rare ones are found without an index
 * over all events, which would cost an append a fifth of its speed.
 */
export const BLOCK_POSITIONS = 1024;

function blockArrays(before: bigint, events: readonly { type: string; correlationId?: string | null }[]): Buffer[] {
  const base = before / BigInt(BLOCK_POSITIONS);
  const offset = Number(before % BigInt(BLOCK_POSITIONS));
  const noted = { type: new Map<string, number>(), correlation: new Map<string, number>() };
  const rows: [kind: string, key: string, block: bigint][] = [];
  const note = (kind: keyof typeof noted, key: string, block: number) => {
    if (noted[kind].get(key) === block) return;
    noted[kind].set(key, block);
    rows.push([kind, key, base + BigInt(block)]);
  };
  for (const [index, { type, correlationId }] of events.entries()) {
    const block = Math.floor((offset + index) / BLOCK_POSITIONS);
    note('type', type, block);
    if (correlationId) note('correlation', correlationId, block);
  }
  return [
    textArray(rows.map(([kind]) => kind)),
    textArray(rows.map(([, key]) => key)),
    int8Array(rows.map(([, , block]) => block)),
  ];
}

/** Takes the next `count` positions; the tenant's other writers wait from here to the end of the transaction. */
async function takeHead(
  client: pg.PoolClient,
  tenantId: string,
  count: number,
): Promise<{ before: bigint; recordedAt: Date }> {
  const query = {
    name: 'take-tenant-head',
    text: `UPDATE tenant_heads SET head = head + $2 WHERE tenant_id = $1
           RETURNING head - $2 AS before, date_trunc('milliseconds', clock_timestamp()) AS "recordedAt"`,
    values: [tenantId, count],
  };
  const { rows } = await client.query<{ before: bigint; recordedAt: Date }>(query);
  if (rows[0]) return rows[0];
  await client.query('INSERT INTO tenant_heads (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING', [tenantId]);
  return (await client.query<{ before: bigint; recordedAt: Date }>(query)).rows[0] as {
    before: bigint;
    recordedAt: Date;
  };
}

const noted = (first: number): string => `noted AS (
  INSERT INTO event_blocks (tenant_id, kind, key, block)
  SELECT $1, kind, key, block FROM unnest($${first}::text[], $${first + 1}::text[], $${first + 2}::bigint[]) AS noted(kind, key, block)
  ON CONFLICT DO NOTHING
)`;

const STREAM_STATEMENT = `WITH inserted AS (
  INSERT INTO events (tenant_id, position, recorded_at, stream_key, version, type, payload, occurred_at, schema_version,
                      event_id, correlation_id, causation_id, hash)
  SELECT $1, $2::bigint + ordinal, $3, $4, $5 + ordinal, type, payload, occurred_at, schema_version,
         event_id, correlation_id, causation_id, hash
  FROM unnest($6::text[], $7::json[], $8::timestamptz[], $9::int[], $10::text[], $11::text[], $12::text[], $13::bytea[])
    WITH ORDINALITY
      AS event(type, payload, occurred_at, schema_version, event_id, correlation_id, causation_id, hash, ordinal)
), ${noted(16)} UPDATE event_streams SET head_hash = $14, version = $15 WHERE stream_key = $4`;

const FEED_STATEMENT = `WITH inserted AS (
  INSERT INTO events (tenant_id, position, recorded_at, stream_key, version, type, payload, occurred_at, schema_version, hash)
  SELECT $1, $2::bigint + ordinal, $3, stream_key, version, type, payload, occurred_at, 1, hash
  FROM unnest($4::bigint[], $5::int[], $6::text[], $7::json[], $8::timestamptz[], $9::bytea[]) WITH ORDINALITY
    AS event(stream_key, version, type, payload, occurred_at, hash, ordinal)
), ${noted(12)} UPDATE event_streams stream SET head_hash = head.hash
  FROM unnest($10::bigint[], $11::bytea[]) AS head(stream_key, hash) WHERE stream.stream_key = head.stream_key`;

import type pg from 'pg';
import type { NewEvent } from '../../domain/events/stored-event.ts';
import { int4Array, int8Array, jsonArray, textArray, timestampArray } from './binary-array.ts';

/** Events of one stream, with versions from `firstVersion` on. */
export type StreamEvents = {
  streamKey: bigint;
  firstVersion: number;
  events: readonly NewEvent[];
  /** JSON texts of their payloads. */
  payloads: readonly string[];
};

/** Run events of many streams. Their ids and correlation follow from stream and version. */
export type FeedEvent = { streamKey: bigint; version: number; type: string; payload: string; occurredAt: Date };

/**
 * Both statements take the tenant's head row, which every writer of the tenant waits for, and insert at once: positions are
 * dense and in commit order. Whoever calls holds the locks of the stream rows already. They return the last position.
 */
export async function insertStreamEvents(
  client: pg.PoolClient,
  tenantId: string,
  { streamKey, firstVersion, events, payloads }: StreamEvents,
): Promise<bigint> {
  return insert(client, tenantId, {
    name: 'insert-stream-events',
    text: STREAM_STATEMENT,
    values: [
      tenantId,
      events.length,
      streamKey,
      firstVersion - 1,
      textArray(events.map((event) => event.type)),
      jsonArray(payloads),
      timestampArray(events.map((event) => event.occurredAt)),
      int4Array(events.map((event) => event.schemaVersion)),
      textArray(events.map((event) => event.eventId)),
      textArray(events.map((event) => event.correlationId)),
      textArray(events.map((event) => event.causationId)),
    ],
  });
}

export async function insertFeedEvents(
  client: pg.PoolClient,
  tenantId: string,
  events: readonly FeedEvent[],
): Promise<bigint> {
  return insert(client, tenantId, {
    name: 'insert-feed-events',
    text: FEED_STATEMENT,
    values: [
      tenantId,
      events.length,
      int8Array(events.map((event) => event.streamKey)),
      int4Array(events.map((event) => event.version)),
      textArray(events.map((event) => event.type)),
      jsonArray(events.map((event) => event.payload)),
      timestampArray(events.map((event) => event.occurredAt)),
    ],
  });
}

async function insert(client: pg.PoolClient, tenantId: string, query: pg.QueryConfig): Promise<bigint> {
  const { rows } = await client.query<{ head: bigint }>(query);
  if (rows[0]) return rows[0].head;
  await client.query('INSERT INTO tenant_heads (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING', [tenantId]);
  const again = await client.query<{ head: bigint }>(query);
  return (again.rows[0] as { head: bigint }).head;
}

const TAKE_HEAD = `tenant AS (
  UPDATE tenant_heads SET head = head + $2 WHERE tenant_id = $1 RETURNING head, clock_timestamp() AS recorded_at
)`;

const STREAM_STATEMENT = `WITH ${TAKE_HEAD}, inserted AS (
  INSERT INTO events (tenant_id, position, recorded_at, stream_key, version, type, payload, occurred_at, schema_version,
                      event_id, correlation_id, causation_id)
  SELECT $1, head - $2 + ordinal, recorded_at, $3, $4 + ordinal, type, payload, occurred_at, schema_version,
         event_id, correlation_id, causation_id
  FROM tenant CROSS JOIN
    unnest($5::text[], $6::json[], $7::timestamptz[], $8::int[], $9::text[], $10::text[], $11::text[]) WITH ORDINALITY
      AS event(type, payload, occurred_at, schema_version, event_id, correlation_id, causation_id, ordinal)
) SELECT head FROM tenant`;

const FEED_STATEMENT = `WITH ${TAKE_HEAD}, inserted AS (
  INSERT INTO events (tenant_id, position, recorded_at, stream_key, version, type, payload, occurred_at, schema_version)
  SELECT $1, head - $2 + ordinal, recorded_at, stream_key, version, type, payload, occurred_at, 1
  FROM tenant CROSS JOIN
    unnest($3::bigint[], $4::int[], $5::text[], $6::json[], $7::timestamptz[]) WITH ORDINALITY
      AS event(stream_key, version, type, payload, occurred_at, ordinal)
) SELECT head FROM tenant`;

import type pg from 'pg';
import { int4Array, int8Array, jsonArray, textArray, timestampArray } from './binary-array.ts';

/** Columns of the events of one append, all of one length. */
export type EventColumns = {
  tenantId: string;
  /** One key for all, or one each. */
  streamKeys: bigint | readonly bigint[];
  versions: readonly number[];
  types: readonly string[];
  /** JSON texts. */
  payloads: readonly string[];
  occurredAt: readonly Date[];
  schemaVersions: readonly number[];
  /** Absent for run events, which are identified by stream and version. */
  identities?: readonly { eventId: string; correlationId: string | null; causationId: string | null }[];
};

/**
 * Takes the tenant's head row, which every writer of the tenant waits for, and inserts in the same statement: positions are
 * dense and in commit order. Whoever calls holds the locks of the stream rows already. Returns the last position.
 */
export async function insertEvents(client: pg.PoolClient, columns: EventColumns): Promise<bigint> {
  const position = await tryInsert(client, columns);
  if (position !== undefined) return position;
  await client.query('INSERT INTO tenant_heads (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING', [columns.tenantId]);
  return (await tryInsert(client, columns)) as bigint;
}

async function tryInsert(client: pg.PoolClient, columns: EventColumns): Promise<bigint | undefined> {
  const count = columns.versions.length;
  const keys = columns.streamKeys;
  const values: unknown[] = [
    columns.tenantId,
    count,
    int8Array(typeof keys === 'bigint' ? columns.versions.map(() => keys) : keys),
    int4Array(columns.versions),
    textArray(columns.types),
    jsonArray(columns.payloads),
    timestampArray(columns.occurredAt),
    int4Array(columns.schemaVersions),
  ];
  if (columns.identities) {
    values.push(
      textArray(columns.identities.map((event) => event.eventId)),
      textArray(columns.identities.map((event) => event.correlationId)),
      textArray(columns.identities.map((event) => event.causationId)),
    );
  }
  const { rows } = await client.query<{ head: bigint }>({
    name: columns.identities ? 'insert-identified-events' : 'insert-events',
    text: insertStatement(columns.identities !== undefined),
    values,
  });
  return rows[0]?.head;
}

function insertStatement(identified: boolean): string {
  const names = ['stream_key', 'version', 'type', 'payload', 'occurred_at', 'schema_version'];
  const arrays = ['$3::bigint[]', '$4::int[]', '$5::text[]', '$6::json[]', '$7::timestamptz[]', '$8::int[]'];
  if (identified) {
    names.push('event_id', 'correlation_id', 'causation_id');
    arrays.push('$9::text[]', '$10::text[]', '$11::text[]');
  }
  return `WITH tenant AS (
      UPDATE tenant_heads SET head = head + $2 WHERE tenant_id = $1 RETURNING head, clock_timestamp() AS recorded_at
    ), inserted AS (
      INSERT INTO events (tenant_id, position, recorded_at, ${names.join(', ')})
      SELECT $1, tenant.head - $2 + event.ordinal, tenant.recorded_at, ${names.map((name) => `event.${name}`).join(', ')}
      FROM tenant CROSS JOIN unnest(${arrays.join(', ')}) WITH ORDINALITY AS event(${names.join(', ')}, ordinal)
    ) SELECT head FROM tenant`;
}

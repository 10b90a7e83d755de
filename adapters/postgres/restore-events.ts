import type pg from 'pg';
import type { ArchivedRun } from '../archive/archived-run.ts';
import { verifyArchivedRun } from '../archive/verify-archive.ts';
import { AppError } from '../../domain/errors.ts';
import { bytesArray, int4Array, int8Array, jsonArray, textArray } from './binary-array.ts';
import { archivePlaces, readArchivePlace } from './read-archived.ts';
import { inTransaction } from './transaction.ts';

/** Brings archived events of a run back into the table, as they were. Gives how many. @throws AppError PAYLOAD_UNREADABLE */
export async function restoreEvents(pool: pg.Pool, runId: string): Promise<number> {
  let restored = 0;
  for (const place of await archivePlaces(pool, runId)) {
    const run = await readArchivePlace(pool, place);
    const [fault] = verifyArchivedRun(run);
    if (fault) throw new AppError('PAYLOAD_UNREADABLE', { keyId: 'archive', detail: `${place.file}: ${fault.detail}` });
    restored += await inTransaction(pool, (client) => putBack(client, place.file, run));
  }
  return restored;
}

async function putBack(
  client: pg.PoolClient,
  file: string,
  { tenantId, runId, streams }: ArchivedRun,
): Promise<number> {
  const { rowCount } = await client.query(
    'DELETE FROM event_archives WHERE tenant_id = $1 AND run_id = $2 AND file = $3',
    [tenantId, runId, file],
  );
  // Somebody else has restored it meanwhile.
  if (rowCount === 0) return 0;
  await client.query('UPDATE event_streams SET archived = false WHERE stream_key = ANY($1)', [
    streams.map(({ stream }) => stream.streamKey),
  ]);
  let count = 0;
  for (const { stream, events } of streams) {
    const inserted = await client.query(
      `INSERT INTO events (tenant_id, stream_key, position, occurred_at, recorded_at, schema_version, version, type, event_id,
                           correlation_id, causation_id, payload, hash)
       SELECT $1, $2, position, to_timestamp(occurred / 1000000) + (occurred % 1000000) * interval '1 microsecond',
              to_timestamp(recorded / 1000000) + (recorded % 1000000) * interval '1 microsecond', schema_version, version, type,
              event_id, correlation_id, causation_id, payload, hash
       FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::text[], $9::text[], $10::text[],
                   $11::text[], $12::json[], $13::bytea[])
         AS event(position, occurred, recorded, schema_version, version, type, event_id, correlation_id, causation_id, payload, hash)`,
      [
        ...[tenantId, stream.streamKey, int8Array(events.map((event) => event.position))],
        int8Array(events.map((event) => event.occurredAt)),
        int8Array(events.map((event) => event.recordedAt)),
        int4Array(events.map((event) => event.schemaVersion)),
        int4Array(events.map((event) => event.version)),
        textArray(events.map((event) => event.type)),
        textArray(events.map((event) => event.eventId)),
        textArray(events.map((event) => event.correlationId)),
        textArray(events.map((event) => event.causationId)),
        jsonArray(events.map((event) => event.payload)),
        bytesArray(events.map((event) => event.link)),
      ],
    );
    count += inserted.rowCount ?? 0;
  }
  return count;
}

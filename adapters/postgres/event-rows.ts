import type { StoredEvent } from '../../domain/events/stored-event.ts';
import { upcast } from '../../domain/events/upcasters/upcast.ts';
import { UPCASTERS } from '../../domain/events/upcasters/upcasters.ts';
import type { Json } from '../../domain/json.ts';
import { openSealed } from './erasure-keys.ts';
import { readPayloads } from './large-values.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';

/** `sequence` counts the events of a run over all its links, from 1. */
export type RunStoredEvent = StoredEvent & { sequence: number };

export type EventRow = {
  tenant_id: string;
  stream_id: string;
  version: number;
  position: bigint;
  event_id: string | null;
  type: string;
  schema_version: number;
  occurred_at: Date;
  recorded_at: Date;
  correlation_id: string | null;
  causation_id: string | null;
  payload: Json;
  sequence: number;
};

/** Over `events event` and its `event_streams stream`. */
export const EVENT_COLUMNS = `event.tenant_id, stream.stream_id, event.version, event.position, event.event_id, event.type,
  event.schema_version, event.occurred_at, event.recorded_at, event.causation_id, event.payload,
  coalesce(event.correlation_id, stream.run_id) AS correlation_id, stream.sequence_base + event.version AS sequence`;

/** With large values in their places and sealed ones opened, brought up to the versions of today. */
export async function storedEvents(pool: Queryable, rows: readonly EventRow[]): Promise<RunStoredEvent[]> {
  const stored = await readPayloads(
    createPayloadStore(pool),
    rows.map((row) => row.payload),
  );
  const payloads = await openSealed(pool, stored);
  return rows.map((row, index) => upcast(UPCASTERS, eventOf(row, payloads[index] as Json)));
}

function eventOf(row: EventRow, payload: Json): RunStoredEvent {
  return {
    tenantId: row.tenant_id,
    streamId: row.stream_id,
    version: row.version,
    position: row.position,
    eventId: row.event_id ?? `${row.stream_id}/${row.version}`,
    type: row.type,
    schemaVersion: row.schema_version,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    payload,
    sequence: row.sequence,
  };
}

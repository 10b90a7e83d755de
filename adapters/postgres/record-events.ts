import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import { sealValues } from '../encryption/sealed-values.ts';
import type { NewEvent } from '../../domain/events/stored-event.ts';
import { SYSTEM_EVENTS, type SystemEvent, systemStreamId } from '../../domain/events/system-event.ts';
import { insertStreamEvents, type StreamEvents } from './insert-events.ts';
import { keysOfRuns } from './erasure-keys.ts';
import { chainStart } from './event-chain.ts';
import { payloadText, spilledValues } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';
import { inTransaction } from './transaction.ts';

export type Transaction = pg.PoolClient;

/** Gives how many were stored: an event whose id was given and is in its stream already is not stored again. */
export function recordEvents(pool: pg.Pool, tenantId: string, events: readonly SystemEvent[]): Promise<number> {
  return inTransaction(pool, (client) => recordWithin(client, tenantId, events));
}

/** Makes a change and records it, both or neither. Nothing of the change may come after its events. */
export function recordedChange<Result>(
  pool: pg.Pool,
  tenantId: string,
  change: (client: pg.PoolClient) => Promise<{ result: Result; events: readonly SystemEvent[] }>,
): Promise<Result> {
  return inTransaction(pool, async (client) => {
    const { result, events } = await change(client);
    await recordWithin(client, tenantId, events);
    return result;
  });
}

/** As recordEvents, as the last part of the caller's transaction: nothing may take a lock after it. */
export async function recordWithin(
  client: pg.PoolClient,
  tenantId: string,
  events: readonly SystemEvent[],
): Promise<number> {
  if (events.length === 0) return 0;
  const byStream = Map.groupBy(events, systemStreamId);
  const keys = await keysOfRuns(client, [...new Set(events.flatMap(tellingRun))]);
  const streams = await lockStreams(client, tenantId, [...byStream.keys()].sort());
  const stored = await storedIds(client, streams, events);
  const spilled = spilledValues(client);
  const appends = streams.flatMap(({ stream_id, stream_key, version, head }): StreamEvents[] => {
    const fresh = distinct(byStream.get(stream_id) ?? []).filter(
      ({ eventId }) => !stored.has(`${stream_key}/${eventId}`),
    );
    if (fresh.length === 0) return [];
    return [
      {
        streamKey: stream_key,
        firstVersion: version + 1,
        head: head ?? chainStart(tenantId, stream_id),
        events: fresh,
        payloads: fresh.map(({ payload }) => {
          const key = keys.get(tellingRun({ payload })[0] ?? '');
          return payloadText(key ? sealValues(payload, key) : payload, spilled);
        }),
      },
    ];
  });
  if (appends.length === 0) return 0;
  await createPayloadStore(client).put(spilled);
  await insertStreamEvents(client, tenantId, appends);
  return appends.reduce((sum, append) => sum + append.events.length, 0);
}

/** The run whose values the text of an error may hold. */
function tellingRun({ payload }: { payload: unknown }): string[] {
  const { runId, error } = payload as { runId?: string | null; error?: unknown };
  return typeof runId === 'string' && error ? [runId] : [];
}

const distinct = (events: readonly SystemEvent[]): NewEvent[] => [
  ...new Map(events.map(newEventOf).map((event) => [event.eventId, event])).values(),
];

const newEventOf = (event: SystemEvent): NewEvent => ({
  eventId: event.eventId ?? randomUUIDv7(),
  type: event.type,
  schemaVersion: SYSTEM_EVENTS[event.type].schemaVersion,
  occurredAt: event.occurredAt ?? new Date(),
  correlationId: event.correlationId ?? null,
  causationId: event.causationId ?? null,
  payload: event.payload,
});

type StreamRow = { stream_id: string; stream_key: bigint; version: number; head: string | null };

async function lockStreams(client: pg.PoolClient, tenantId: string, streamIds: string[]): Promise<StreamRow[]> {
  const { rows } = await client.query<StreamRow>({
    name: 'lock-system-streams',
    text: `INSERT INTO event_streams (tenant_id, stream_id, first_event_at)
           SELECT $1, stream_id, now() FROM unnest($2::text[]) WITH ORDINALITY AS given(stream_id, ordinal) ORDER BY ordinal
           ON CONFLICT (tenant_id, stream_id) DO UPDATE SET progressed_at = now()
           RETURNING stream_id, stream_key, version, encode(head_hash, 'hex') AS head`,
    values: [tenantId, streamIds],
  });
  return rows;
}

/** Of the ids that were given, as `<stream key>/<event id>`: those that are stored in these streams. */
async function storedIds(
  client: pg.PoolClient,
  streams: readonly StreamRow[],
  events: readonly SystemEvent[],
): Promise<ReadonlySet<string>> {
  const given = events.flatMap(({ eventId }) => eventId ?? []);
  const keys = streams.filter(({ version }) => version > 0).map(({ stream_key }) => stream_key);
  if (given.length === 0 || keys.length === 0) return new Set();
  const { rows } = await client.query<{ place: string }>({
    name: 'stored-event-ids',
    text: `SELECT stream_key || '/' || event_id AS place FROM events WHERE stream_key = ANY($1) AND event_id = ANY($2)`,
    values: [keys, given],
  });
  return new Set(rows.map(({ place }) => place));
}

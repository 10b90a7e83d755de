import { upcast } from '../../domain/events/upcasters/upcast.ts';
import { UPCASTERS } from '../../domain/events/upcasters/upcasters.ts';
import type { Json } from '../../domain/json.ts';
import { openSealed } from './erasure-keys.ts';
import { readPayloads } from './large-values.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';
import { runEvents } from './run-feed.ts';

/** As much of a stored event as a fold needs. */
export type HistoryEvent = {
  streamId: string;
  version: number;
  type: string;
  schemaVersion: number;
  occurredAt: Date;
  payload: Json;
  sequence: number;
};

type Row = {
  run_id: string;
  stream_id: string;
  version: number;
  type: string;
  schema_version: number;
  occurred_at: Date;
  payload: Json;
  sequence: number;
};

const TASKS = 'workflow_task.';

/**
 * The events of many runs at once, in order; without those about workflow tasks, which change no state. What is archived is read
 * back. The query goes stream by stream: OFFSET keeps it from joining a few streams with every event that there is.
 */
export async function readRunHistories(db: Queryable, runIds: readonly string[]): Promise<Map<string, HistoryEvent[]>> {
  const { rows } = await db.query<Row>({
    name: 'read-run-histories',
    text: `SELECT stream.run_id, stream.stream_id, event.version, event.type, event.schema_version, event.occurred_at, event.payload,
                  stream.sequence_base + event.version AS sequence
           FROM event_streams stream
           CROSS JOIN LATERAL (
             SELECT * FROM events
             WHERE events.stream_key = stream.stream_key AND NOT starts_with(events.type, '${TASKS}') OFFSET 0
           ) event
           WHERE stream.run_id = ANY($1) ORDER BY stream.run_id, sequence`,
    values: [runIds],
  });
  const stored = await readPayloads(
    createPayloadStore(db),
    rows.map(({ payload }) => payload),
  );
  const payloads = await openSealed(db, stored);
  const histories = new Map<string, HistoryEvent[]>(runIds.map((runId) => [runId, []]));
  rows.forEach((row, index) => {
    const {
      stream_id: streamId,
      version,
      type,
      sequence,
      schema_version: schemaVersion,
      occurred_at: occurredAt,
    } = row;
    const event = { streamId, version, type, schemaVersion, occurredAt, payload: payloads[index] as Json, sequence };
    histories.get(row.run_id)?.push(upcast(UPCASTERS, event));
  });
  for (const [runId, history] of histories) {
    if (history[0]?.sequence !== 1) histories.set(runId, await archivedHistory(db, runId));
  }
  return histories;
}

async function archivedHistory(db: Queryable, runId: string): Promise<HistoryEvent[]> {
  const history: HistoryEvent[] = [];
  for await (const event of runEvents(db, runId)) if (!event.type.startsWith(TASKS)) history.push(event);
  return history;
}

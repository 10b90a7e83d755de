import type { Json } from '../json.ts';
import type { StoredEvent } from './stored-event.ts';

export type ShownEvent = Omit<StoredEvent, 'tenantId' | 'eventId' | 'position'> & { id: string; position: string };

/** As readers outside get an event; positions are texts, since they may grow beyond what JSON's numbers hold. */
export function shownEvent(event: StoredEvent): ShownEvent & { payload: Json } {
  const { eventId, type, schemaVersion, streamId, version, position, occurredAt, recordedAt } = event;
  const { correlationId, causationId, payload } = event;
  const place = { streamId, version, position: String(position) };
  return { id: eventId, type, schemaVersion, ...place, occurredAt, recordedAt, correlationId, causationId, payload };
}

import type { JsonObject } from '../json.ts';
import { type EventKind, fieldsSchema } from './event-field.ts';
import { BOOKKEEPING_EVENTS, RUN_EVENTS } from './kinds/run-events.ts';
import { SYSTEM_EVENTS } from './system-event.ts';

export type EventSource = 'run' | 'history' | 'system';
export type EventTypeRow = {
  type: string;
  source: EventSource;
  happened: string;
  schemaVersion: number;
  /** JSON Schema of the payload, draft 2020-12. */
  schema: JsonObject;
};

/** Every type that the store takes, by name. Besides there is `temporal.<name>` for what Temporal may bring in later. */
export const EVENT_TYPES: readonly EventTypeRow[] = [
  ...rowsOf('run', RUN_EVENTS),
  ...rowsOf('history', BOOKKEEPING_EVENTS),
  ...rowsOf('system', SYSTEM_EVENTS),
].sort((left, right) => (left.type < right.type ? -1 : 1));

function rowsOf(source: EventSource, kinds: Readonly<Record<string, EventKind>>): EventTypeRow[] {
  return Object.entries(kinds).map(([type, { happened, schemaVersion, payload }]) => ({
    type,
    source,
    happened,
    schemaVersion,
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:weft:event:${type}:${schemaVersion}`,
      title: type,
      description: happened,
      ...fieldsSchema(payload),
    },
  }));
}
